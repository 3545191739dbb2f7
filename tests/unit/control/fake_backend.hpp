// A fake program: the listeners' commands act on these values.
#pragma once

#include <future>
#include <vector>

#include "base/guarded.hpp"
#include "control/backend.hpp"

namespace moult::internal {

class FakeProgram final {
 public:
  Backend backend() {
    Backend backend;
    backend.status = [this] {
      before_status();
      StatusReply reply;
      reply.pid = 4711;
      return reply;
    };
    backend.update = [this](const UpdateRequest& request, const std::stop_token& stop, const Tell& tell) {
      return update(request, stop, tell);
    };
    backend.withdraw = [this](const WithdrawRequest& request) {
      if (request.key != "mine") throw Error(ErrorCode::not_found, "no such request");
      let_update_end.set_value();
    };
    backend.check = [](const CheckRequest&) -> UpdatesReply { throw Error(ErrorCode::not_an_update, "no update"); };
    backend.threads = [this](const ThreadsRequest&) { return threads(); };
    backend.functions = [](const FunctionsRequest&) -> FunctionsReply { throw 7; };
    backend.objects = [] { return ObjectsReply{{{"Data", false, {{"Data", 3, 8}}, 16, 0, 0, 0}}}; };
    backend.roll_back = [](const RollbackRequest&) { return UpdatesReply{}; };
    backend.set = [](const SetRequest&) {};
    backend.events_since = [this](std::uint64_t after) { return events_since(after); };
    backend.on_event = [this](std::function<void()> tell) -> std::shared_ptr<void> {
      tell_.with([&](auto& told) { told = std::move(tell); });
      return std::shared_ptr<void>(this, [](FakeProgram* self) { self->tell_.with([](auto& told) { told = {}; }); });
    };
    return backend;
  }

  void say(const std::string& text) {
    Event event;
    event.text = text;
    publish(std::move(event));
  }
  void publish(Event event) {
    log_.with([&](Log& log) {
      event.number = ++log.last;
      log.events.push_back(std::move(event));
      if (log.events.size() > kept) log.events.erase(log.events.begin());
    });
    tell_.with([](auto& told) {
      if (told) told();
    });
  }

  static constexpr std::size_t kept = 100;
  std::function<ThreadsReply()> threads = []() -> ThreadsReply { throw std::runtime_error("no threads"); };
  std::function<void()> before_status = [] {};  ///< in the listener's thread
  std::promise<void> update_began;
  std::promise<void> let_update_end;

 private:
  struct Log {
    std::uint64_t last = 0;
    std::vector<Event> events;
  };

  /// "/wait.so" lasts until the test ends it, "/endless.so" until a stop request.
  UpdatesReply update(const UpdateRequest& request, const std::stop_token& stop, const Tell& tell) {
    if (request.path == "/wait.so") {
      if (tell) tell("it waits");
      update_began.set_value();
      let_update_end.get_future().wait();
    }
    if (request.path == "/endless.so") {
      std::promise<void> stopped;
      const std::stop_callback on_stop(stop, [&] { stopped.set_value(); });
      update_began.set_value();
      stopped.get_future().wait();
      throw Error(ErrorCode::timed_out, "the listener goes away");
    }
    UpdatesReply reply;
    reply.updates.push_back({});
    reply.updates.back().name = request.path;
    return reply;
  }

  std::vector<Event> events_since(std::uint64_t after) const {
    return log_.with([&](const Log& log) {
      std::vector<Event> events;
      for (const Event& event : log.events)
        if (event.number > after) events.push_back(event);
      return events;
    });
  }

  Guarded<Log> log_;
  Guarded<std::function<void()>> tell_;
};

}  // namespace moult::internal
