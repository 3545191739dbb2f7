// The patches that edits of sources were made from, by update.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace moult::internal {

struct EditPatch {
  std::string name;    ///< of its file
  std::string sha256;  ///< of its text, in hex
};

/// From any thread.
void note_patch(std::uint64_t update, EditPatch patch);
/// Of the updates that are still reported. From any thread.
std::map<std::uint64_t, EditPatch> patches_of_updates();

}  // namespace moult::internal
