// The commands' way to the real program; native_backend() puts them together.
#pragma once

#include "protocol/reply.hpp"
#include "protocol/request.hpp"

namespace moult::control {

protocol::StatusReply native_status();
/// Stops the program for as long as the walk of its stacks takes. The thread that answers is left out.
protocol::ThreadsReply native_threads();
protocol::FunctionsReply native_functions(const protocol::FunctionsRequest& request);
protocol::UpdatesReply native_roll_back(const protocol::RollbackRequest& request);

}  // namespace moult::control
