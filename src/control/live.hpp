// The commands on this process; live_backend() combines them.
#pragma once

#include <stop_token>

#include "control/update_wait.hpp"
#include "protocol/reply.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

StatusReply live_status();
/// Loads the file, runs its entry in this thread, and waits for the submitted updates, or until `stop`.
UpdatesReply live_update(const UpdateRequest& request, const std::stop_token& stop, const Tell& tell);
/// The same as a dry run: queues and changes nothing. The file stays loaded.
UpdatesReply live_check(const CheckRequest& request);
/// Stops the program to walk its stacks, or to copy them for their variables. Leaves out the answering thread.
ThreadsReply live_threads(const ThreadsRequest& request);
FunctionsReply live_functions(const FunctionsRequest& request);
/// Counts objects while the program runs, so the numbers are not of one moment.
ObjectsReply live_objects();
UpdatesReply live_roll_back(const RollbackRequest& request);

}  // namespace moult::internal
