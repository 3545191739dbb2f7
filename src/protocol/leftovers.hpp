// Files that programs leave in their user's runtime folder when they are killed.
#pragma once

#include "protocol/runtime_folder.hpp"

namespace moult::internal {

/// "PID.updates": the folder with the copies of the updates that process PID has loaded.
std::string updates_name(int pid);

/// Removes sockets without a listener, and folders of copies and pages of progress whose process has ended, in every
/// trusted folder of the user. A pid may belong to another process by now: a socket that is older than the process is
/// not its own. Files that cannot be removed stay. Never throws Error.
void remove_leftovers(const RuntimeSurroundings& surroundings);

}  // namespace moult::internal
