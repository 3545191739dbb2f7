// The notes of a shared object, read before it is loaded: whether it is an update, for which moult and for which
// program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace moult::internal {

struct UpdateNotes {
  std::optional<std::uint32_t> abi;  ///< the MOULT_ABI_VERSION that it was compiled with; nothing if it has no note
  std::string target_build_id;       ///< the program that it was built for, in hex; empty if unknown
  bool has_entry = false;            ///< exports moult_update_entry: true for every result of read_update_notes
};

/// Reads the whole file into memory first, so that a concurrent write cannot disturb the caller, and trusts nothing in
/// it. Throws Error:
/// unreadable: the file is missing, a directory, empty or cut short
/// not_an_update: it is no 64-bit x86-64 shared object or has no MOULT_UPDATE entry
UpdateNotes read_update_notes(const std::string& path);

}  // namespace moult::internal
