// The commands' way to the real program; live_backend() puts them together.
#pragma once

#include <stop_token>

#include "protocol/reply.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

StatusReply live_status();
/// Loads the file, runs its entry in this thread and waits for what it handed in, or until `stop`.
UpdatesReply live_update(const UpdateRequest& request, const std::stop_token& stop);
/// The same as a dry run: nothing is queued or changed. The file stays loaded.
UpdatesReply live_check(const CheckRequest& request);
/// Stops the program for as long as it takes to walk its stacks, or to copy them for their variables. The thread that
/// answers is left out.
ThreadsReply live_threads(const ThreadsRequest& request);
FunctionsReply live_functions(const FunctionsRequest& request);
/// Counts objects while the program runs: of no single moment.
ObjectsReply live_objects();
UpdatesReply live_roll_back(const RollbackRequest& request);

}  // namespace moult::internal
