#include <utility>

#include "control/backend.hpp"
#include "control/live.hpp"

namespace moult::internal {
namespace {

void set(const SetRequest& request) {
  if (request.log_path) event_log().set_path(*request.log_path);
  if (request.log_level) event_log().set_level(*request.log_level);
}

std::shared_ptr<void> on_event(std::function<void()> tell) {
  return event_log().subscribe([tell = std::move(tell)](const Event&) { tell(); });
}

}  // namespace

Backend native_backend() {
  Backend backend;
  backend.status = native_status;
  backend.update = native_update;
  backend.check = native_check;
  backend.threads = native_threads;
  backend.functions = native_functions;
  backend.objects = native_objects;
  backend.roll_back = native_roll_back;
  backend.set = set;
  backend.events_since = [](std::uint64_t after) { return event_log().since(after); };
  backend.on_event = on_event;
  backend.publish = [](Event event) { event_log().publish(std::move(event)); };
  return backend;
}

}  // namespace moult::internal
