// The operations behind the commands: on the program's updates, functions, objects, threads and log. The listeners use
// nothing else of moult.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "control/update_wait.hpp"
#include "protocol/reply.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

/// Every function may be called from any thread, several at once, and may throw.
struct Backend {
  std::function<StatusReply()> status;
  /// Loads and runs an update, and waits for the updates that it submits. A stop request ends the wait, not the
  /// updates.
  std::function<UpdatesReply(const UpdateRequest&, const std::stop_token&, const Tell&)> update;
  std::function<void(const WithdrawRequest&)> withdraw;
  std::function<UpdatesReply(const CheckRequest&)> check;
  std::function<ThreadsReply(const ThreadsRequest&)> threads;
  std::function<FunctionsReply(const FunctionsRequest&)> functions;
  std::function<ObjectsReply()> objects;
  std::function<UpdatesReply(const RollbackRequest&)> roll_back;
  std::function<void(const SetRequest&)> set;

  /// The stored events with a greater number, oldest first.
  std::function<std::vector<Event>(std::uint64_t after)> events_since;
  /// Calls `tell` after each new event, in the publishing thread, until the returned object is destroyed.
  std::function<std::shared_ptr<void>(std::function<void()> tell)> on_event;
};

/// The backend of this process.
Backend live_backend();

}  // namespace moult::internal
