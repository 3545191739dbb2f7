// What a shared object says of itself before it is loaded: is it an update, for which moult, for which program?
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace moult::internal {

struct UpdateNotes {
  std::optional<std::uint32_t> abi;  ///< MOULT_ABI_VERSION it was compiled with; nothing when it carries no note
  std::string target_build_id;       ///< in hex, of the program it was built for; empty when it does not say
  bool has_entry = false;            ///< exports moult_update_entry: true of whatever read_update_notes returns
};

/// Reads the whole file into memory first, so that a file being written meanwhile cannot disturb the caller, and trusts
/// nothing in it. Throws Error: unreadable (missing, a directory, empty, cut short), not_an_update (something else than
/// a 64-bit x86-64 shared object, or one without a MOULT_UPDATE entry).
UpdateNotes read_update_notes(const std::string& path);

}  // namespace moult::internal
