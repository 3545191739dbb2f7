// Files that this user's process acts on: code to run, and settings that say how to run it.
#pragma once

#include <string>

#include "base/fd.hpp"

namespace moult::internal {

/// Opens a file for reading if only this process's user or root can have written it, or put it into its folder. `what`
/// names the expected kind ("a shared object"). Read from the descriptor: the name may refer to another file the next
/// time. In a folder with the sticky bit (/tmp) nobody can replace the file of another user. The folders above it are
/// not checked. Throws Error: unreadable: the file is not there permission_denied: it may not be read, is no regular
/// file, belongs to another user, or is writable for all, or for a
///   group other than this process's; or its folder is so
Fd open_trusted(const std::string& path, const std::string& what);

}  // namespace moult::internal
