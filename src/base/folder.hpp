// Folders, read and removed.
//
// Not by std::filesystem: the iterators of libstdc++ allocate in functions that must not throw, so a lack of memory
// there ends the process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace moult::internal {

/// The names in a folder, in no order; as many as can be read, and none if there is no such folder. Throws
/// std::bad_alloc.
std::vector<std::string> names_in(const std::filesystem::path& folder);

/// Removes a folder and everything in it; what cannot be removed stays. Others than this user must not be able to write
/// to it. Throws std::bad_alloc.
void remove_folder(const std::filesystem::path& folder);

}  // namespace moult::internal
