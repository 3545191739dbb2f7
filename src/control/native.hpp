// The commands' way to the real program; native_backend() puts them together.
#pragma once

#include <stop_token>

#include "protocol/reply.hpp"
#include "protocol/request.hpp"

namespace moult::control {

protocol::StatusReply native_status();
/// Loads the file, runs its entry in this thread and waits for what it handed in, or until `stop`.
protocol::UpdatesReply native_update(const protocol::UpdateRequest& request, const std::stop_token& stop);
/// The same as a dry run: nothing is queued or changed. The file stays loaded.
protocol::UpdatesReply native_check(const protocol::CheckRequest& request);
/// Stops the program for as long as it takes to walk its stacks, or to copy them for their variables. The thread that
/// answers is left out.
protocol::ThreadsReply native_threads(const protocol::ThreadsRequest& request);
protocol::FunctionsReply native_functions(const protocol::FunctionsRequest& request);
/// Counts objects while the program runs: of no single moment.
protocol::ObjectsReply native_objects();
protocol::UpdatesReply native_roll_back(const protocol::RollbackRequest& request);

}  // namespace moult::control
