// ELF notes: records of an owner, a type and a content, one after the other in a segment or a section.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moult::internal {

struct Note {
  std::string_view owner;  ///< with its terminating zero, as the file has it
  std::uint32_t type = 0;
  std::string_view content;
};

struct NoteTable {
  std::vector<Note> notes;  ///< views of the bytes that were read
  bool is_damaged = false;  ///< a note ends outside of the bytes; this one and those after it are left out
};

/// The notes in `bytes`. `alignment` is that of their segment or section.
NoteTable read_notes(std::string_view bytes, std::uint64_t alignment);

/// The GNU build id among the notes in hex; empty if there is none.
std::string build_id_among(const NoteTable& table);

/// Bytes as lower-case hexadecimal digits.
std::string to_hex(std::string_view bytes);

}  // namespace moult::internal
