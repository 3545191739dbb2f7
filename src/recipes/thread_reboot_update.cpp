#include <optional>
#include <utility>

#include "base/fault.hpp"
#include "moult/reboot.hpp"
#include "moult/static_points.hpp"
#include "redefine/thread_restart.hpp"

namespace moult {

class ThreadRebootUpdate::Impl final {
 public:
  Impl(ThreadId thread, std::function<void()> main) : thread_(thread), main_(std::move(main)) {}

  void prepare() { restart_ = redefine::ThreadRestart::prepare(thread_, main_); }
  void commit() { restart_->commit(redefine::require_stopped_step("a thread is restarted")); }

  std::vector<std::string> points;

 private:
  ThreadId thread_;
  std::function<void()> main_;
  std::optional<redefine::ThreadRestart> restart_;
};

ThreadRebootUpdate::ThreadRebootUpdate(std::string name, ThreadId thread, std::function<void()> main)
    : Update(std::move(name), {thread}), impl_(std::make_unique<Impl>(thread, std::move(main))) {}

ThreadRebootUpdate::ThreadRebootUpdate(std::string name, ThreadId thread)
    : ThreadRebootUpdate(std::move(name), thread, std::function<void()>()) {}

ThreadRebootUpdate::~ThreadRebootUpdate() = default;

void ThreadRebootUpdate::set_points(std::vector<std::string> points) { impl_->points = std::move(points); }

void ThreadRebootUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.thread_reboot.prepared");
}

void ThreadRebootUpdate::preupdate_setup() { setup_wait_static_points({.names = impl_->points, .threads = threads()}); }

bool ThreadRebootUpdate::wait_alterability() { return wait_static_points_reached(patience()); }
bool ThreadRebootUpdate::check_alterability() { return check_static_points_reached(patience()); }
void ThreadRebootUpdate::clean_failed_alterability() { clean_failed_static_points(); }

void ThreadRebootUpdate::apply() {
  MOULT_FAULT("recipes.thread_reboot.apply");
  impl_->commit();
  MOULT_FAULT("recipes.thread_reboot.applied");
}

bool ThreadRebootUpdate::wait_over() { return wait_departures(patience()); }
bool ThreadRebootUpdate::check_over() { return check_departures(); }

}  // namespace moult
