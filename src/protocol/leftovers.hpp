// What programs leave in their user's runtime folder when they are killed.
#pragma once

#include "protocol/runtime_folder.hpp"

namespace moult::internal {

/// "PID.updates": the folder with the copies of the updates that process PID has loaded.
std::string updates_name(int pid);

/// Removes sockets on which nobody listens, folders of copies and pages of progress, where the process they are named
/// after has ended, in every folder of that user that can be trusted. A pid may have been given to another process
/// since: a socket that is older than the process is not its own. What cannot be removed stays; never throws Error.
void remove_leftovers(const RuntimeSurroundings& surroundings);

}  // namespace moult::internal
