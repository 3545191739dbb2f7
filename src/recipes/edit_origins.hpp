// What edits of sources were made from, by update.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace moult::internal {

struct EditPatch {
  std::string name;    ///< of its file
  std::string sha256;  ///< of its text, in hex
};

/// The sources of the program, as they were when the edit was built.
struct EditTree {
  std::uint64_t time = 0;   ///< when the last of them was written, in seconds since 1970
  std::uint64_t files = 0;  ///< that were written after the program
};

/// One of both.
struct EditOrigin {
  std::optional<EditPatch> patch{};
  std::optional<EditTree> tree{};
};

/// From any thread.
void note_origin(std::uint64_t update, EditOrigin origin);
/// Of the updates that are still reported. From any thread.
std::map<std::uint64_t, EditOrigin> origins_of_updates();

}  // namespace moult::internal
