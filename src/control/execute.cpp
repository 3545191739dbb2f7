#include "control/execute.hpp"

#include <exception>
#include <new>
#include <utility>

namespace moult::internal {
namespace {

class Executor final {
 public:
  Executor(const Backend& backend, const std::stop_token& stop, const Tell& tell)
      : backend_(backend), stop_(stop), tell_(tell) {}

  Result operator()(const MalformedRequest& request) const { return request.failure; }
  Result operator()(const AuthenticateRequest&) const { return DoneReply{}; }
  Result operator()(const StatusRequest&) const { return backend_.status(); }
  Result operator()(const UpdateRequest& request) const {
    return backend_.update(request, stop_, request.notices ? tell_ : Tell());
  }
  Result operator()(const WithdrawRequest& request) const {
    backend_.withdraw(request);
    return DoneReply{};
  }
  Result operator()(const CheckRequest& request) const { return backend_.check(request); }
  Result operator()(const ThreadsRequest& request) const { return backend_.threads(request); }
  Result operator()(const FunctionsRequest& request) const { return backend_.functions(request); }
  Result operator()(const ObjectsRequest&) const { return backend_.objects(); }
  Result operator()(const RollbackRequest& request) const { return backend_.roll_back(request); }
  Result operator()(const LogRequest& request) const {
    EventsReply reply;
    for (const Event& event : backend_.events_since(request.after)) reply.events.push_back(to_record(event));
    return reply;
  }
  Result operator()(const SetRequest& request) const {
    backend_.set(request);
    return DoneReply{};
  }

 private:
  const Backend& backend_;
  const std::stop_token& stop_;
  const Tell& tell_;
};

}  // namespace

bool is_quick(const Command& command) noexcept {
  return std::holds_alternative<MalformedRequest>(command) || std::holds_alternative<AuthenticateRequest>(command) ||
         std::holds_alternative<LogRequest>(command) || std::holds_alternative<SetRequest>(command) ||
         std::holds_alternative<StatusRequest>(command) || std::holds_alternative<WithdrawRequest>(command);
}

bool reads_debug_information(const Command& command) noexcept {
  return std::holds_alternative<ThreadsRequest>(command) || std::holds_alternative<FunctionsRequest>(command);
}

Failure no_memory_failure() {
  return {ErrorCode::no_room,
          "the program has no memory for this command or for its reply; `moult status` shows what was done"};
}

Result execute(const Command& command, const Backend& backend, const std::stop_token& stop, const Tell& tell) {
  try {
    return std::visit(Executor(backend, stop, tell), command);
  } catch (const Error& error) {
    return Failure{error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return no_memory_failure();
  } catch (const std::exception& error) {
    return Failure{ErrorCode::internal, error.what()};
  } catch (...) {
    return Failure{ErrorCode::internal, "something that is no std::exception was thrown; throw moult::Error instead"};
  }
}

EventRecord to_record(const Event& event) {
  EventRecord record;
  record.number = event.number;
  record.time = std::chrono::duration<double>(event.time.time_since_epoch()).count();
  record.kind = name_of(event.kind);
  record.text = to_text(event);
  record.manager = event.manager;
  record.update = event.update;
  record.update_id = event.update_id;
  record.code = event.code;
  record.threads = event.threads;
  record.pause = event.pause;
  return record;
}

}  // namespace moult::internal
