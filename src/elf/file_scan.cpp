#include "elf/file_scan.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "platform/memory.hpp"

namespace moult::internal {

void release(std::string_view bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  release_file_pages(begin, begin + bytes.size());
}

std::size_t find(std::string_view bytes, std::string_view text, std::size_t from) noexcept {
  constexpr std::size_t size_of_number = 4;
  if (text.size() > size_of_number) {
    const void* const found = ::memmem(bytes.data() + from, bytes.size() - from, text.data(), text.size());
    return found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) : bytes.npos;
  }
  // memmem takes four times as long for so few bytes. The highest is rare: most of debug information is small numbers.
  const auto as_number = [](char byte) { return static_cast<unsigned char>(byte); };
  const auto rare = static_cast<std::size_t>(std::ranges::max_element(text, {}, as_number) - text.begin());
  for (std::size_t at = from + rare; (at = bytes.find(text[rare], at)) != std::string_view::npos; ++at)
    if (bytes.substr(at - rare, text.size()) == text) return at - rare;
  return std::string_view::npos;
}

bool contains(std::string_view bytes, std::string_view text) {
  return !visit_occurrences(bytes, text, [](std::size_t) { return false; });
}

}  // namespace moult::internal
