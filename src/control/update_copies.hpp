// The copies of the files that updates were loaded from.
#pragma once

#include <string>
#include <vector>

#include "moult/manager.hpp"

namespace moult::internal {

/// Notes the copy `file` of a loaded update with its `entry` function and what that submitted. Safe in any thread.
void note_copy(std::string file, const void* entry, std::vector<UpdateHandle> submitted);

/// Deletes the copies of updates that can run no code again: all that they submitted was refused, undone, withdrawn or
/// rolled back, and nothing leads into them. Safe in any thread; does nothing for files that it cannot delete.
void delete_unneeded_copies() noexcept;

}  // namespace moult::internal
