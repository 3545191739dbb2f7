// Files that act as this user: what runs, and what says how to run it.
#pragma once

#include <string>

#include "base/fd.hpp"

namespace moult::internal {

/// Opens a file to read that nobody but this process's user or root can have written. `what` is what is expected there
/// ("a shared object"). What is read by the descriptor is what was judged; the name may lead elsewhere the next time.
/// Throws Error: unreadable (it is not there), permission_denied (it may not be read, is no regular file, belongs to
/// somebody else, or is writable for all, or for a group other than this process's).
Fd open_trusted(const std::string& path, const std::string& what);

}  // namespace moult::internal
