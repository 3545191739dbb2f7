#include "elf/notes.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace moult::internal {

NoteTable read_notes(std::string_view bytes, std::uint64_t alignment) {
  const std::uint64_t unit = alignment == 8 ? 8 : 4;
  const auto rounded = [unit](std::uint64_t size) { return (size + unit - 1) & ~(unit - 1); };
  NoteTable table;
  while (bytes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    // Sums of 32-bit sizes, which do not overflow in 64 bits.
    const std::uint64_t content = rounded(sizeof header + header.n_namesz);
    const std::uint64_t end = content + header.n_descsz;
    if (end > bytes.size()) {
      table.is_damaged = true;
      return table;
    }
    table.notes.push_back(
        {bytes.substr(sizeof header, header.n_namesz), header.n_type, bytes.substr(content, header.n_descsz)});
    bytes.remove_prefix(std::min<std::uint64_t>(rounded(end), bytes.size()));
  }
  table.is_damaged = std::ranges::any_of(bytes, [](char each) { return each != '\0'; });
  return table;
}

std::string build_id_among(const NoteTable& table) {
  for (const Note& note : table.notes)
    if (note.type == NT_GNU_BUILD_ID && note.owner == std::string_view("GNU\0", 4)) return to_hex(note.content);
  return {};
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace moult::internal
