#include "elf/file_scan.hpp"

#include <cstdint>

#include "platform/memory.hpp"

namespace moult::internal {

void release(std::string_view bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  release_file_pages(begin, begin + bytes.size());
}

bool contains(std::string_view bytes, std::string_view text) {
  return !visit_occurrences(bytes, text, [](std::size_t) { return false; });
}

}  // namespace moult::internal
