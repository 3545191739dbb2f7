// What the commands act on: the program's updates, functions, objects, threads and log. The listeners know nothing else
// of moult.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "protocol/reply.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

/// Every function may be called from any thread, several at once, and may throw.
struct Backend {
  std::function<StatusReply()> status;
  /// Loads and runs an update, and waits for what it handed in. A stop asked for ends the waiting, not the update.
  std::function<UpdatesReply(const UpdateRequest&, const std::stop_token&)> update;
  std::function<UpdatesReply(const CheckRequest&)> check;
  std::function<ThreadsReply(const ThreadsRequest&)> threads;
  std::function<FunctionsReply(const FunctionsRequest&)> functions;
  std::function<ObjectsReply()> objects;
  std::function<UpdatesReply(const RollbackRequest&)> roll_back;
  std::function<void(const SetRequest&)> set;

  /// The kept events with a number above that, oldest first.
  std::function<std::vector<Event>(std::uint64_t after)> events_since;
  /// Calls `tell` after each new event, in the thread that publishes it, until the returned object goes away.
  std::function<std::shared_ptr<void>(std::function<void()> tell)> on_event;
  /// Puts an event into the log.
  std::function<void(Event)> publish;
};

/// Of this process.
Backend live_backend();

}  // namespace moult::internal
