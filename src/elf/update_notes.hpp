// The notes of a shared object, read before it is loaded: whether it is an update, for which moult and for which
// program, and whether it is intact.
//
// An update has up to three notes with the owner "moult":
//   section               type  content
//   .note.moult.abi       1     the MOULT_ABI_VERSION that it was compiled with, 4 bytes
//   .note.moult.target    2     the build id of the program that it was built for
//   .note.moult.checksum  3     the file's size, 8 bytes, and its checksum, 4 bytes (elf/update_checksum.hpp)
// MOULT_UPDATE makes the first one, moult_update() and `moult apply` the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "elf/update_checksum.hpp"

namespace moult::internal {

struct UpdateNotes {
  std::optional<std::uint32_t> abi;      ///< the MOULT_ABI_VERSION that it was compiled with; nothing if it has no note
  std::string target_build_id;           ///< the program that it was built for, in hex; empty if unknown
  std::optional<ChecksumNote> checksum;  ///< nothing if the file has no place for one
};

/// Checks the whole file and trusts nothing in it: its structure, its notes and, if it has one, its checksum. Throws
/// Error:
/// unreadable: the file is missing, a directory, empty or cut short, or its checksum is another
/// not_an_update: it is no 64-bit x86-64 shared object, has no MOULT_UPDATE entry, or its structure is damaged
/// unsupported: it is larger than largest_update
UpdateNotes read_update_notes(const std::string& path);

/// Writes size and checksum into the note of the file at `path`, over those it may have. Throws Error, and leaves the
/// file as it is:
/// not_an_update: it has no such note, or its structure is damaged
/// unreadable, unsupported: as read_update_notes
/// permission_denied: it may not be written
/// system: it cannot be written
void write_checksum(const std::string& path);

}  // namespace moult::internal
