#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "moult/reboot.hpp"
#include "moult/static_points.hpp"
#include "platform/tasks.hpp"
#include "reboot/function_reboot.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

class RebootFunctionUpdate::Impl final {
 public:
  Impl(ThreadId thread, const FunctionReboot& reboot) : thread_(thread), reboot_(reboot) {}

  void prepare() { prepared_ = internal::PreparedReboot::prepare(thread_, reboot_); }
  void commit() { prepared_->commit(internal::require_stopped_step("a function is rebooted")); }

  /// True when the thread stays at a point inside of the function. Otherwise it goes on to another point.
  bool is_in_progress(StaticPointUpdate& update) const {
    bool is_there = false;
    internal::in_stopped_world(
        {.timeout = update.patience().stop_timeout, .keep_out = {}},
        [&](const internal::StoppedWorld& stopped) { is_there = prepared_->is_in_progress(stopped); });
    if (is_there) return true;
    internal::Transaction::current()->set_reason("no call of the function was in progress in " +
                                                 internal::describe_thread(thread_) + " at its static update point");
    clean_failed_static_points();
    update.StaticPointUpdate::preupdate_setup();
    return false;
  }

 private:
  ThreadId thread_;
  FunctionReboot reboot_;
  std::optional<internal::PreparedReboot> prepared_;
};

RebootFunctionUpdate::RebootFunctionUpdate(std::string name, ThreadId thread, const FunctionReboot& reboot)
    : StaticPointUpdate(std::move(name), {}, {thread}), impl_(std::make_unique<Impl>(thread, reboot)) {}

RebootFunctionUpdate::~RebootFunctionUpdate() = default;

void RebootFunctionUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.reboot_function.prepared");
}

bool RebootFunctionUpdate::wait_alterability() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + patience().sleep_time * patience().max_tries;
  Patience left = patience();
  left.max_tries = 1;
  std::string outside;  // why the thread's last point did not count
  do {
    left.sleep_time = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (!wait_static_points_reached(left)) break;
    if (impl_->is_in_progress(*this)) return true;
    outside = internal::Transaction::current()->reason();
  } while (Clock::now() < deadline);
  if (!outside.empty()) internal::Transaction::current()->set_reason(outside);
  return false;
}

bool RebootFunctionUpdate::check_alterability() {
  return check_static_points_reached(patience()) && impl_->is_in_progress(*this);
}

void RebootFunctionUpdate::apply() {
  MOULT_FAULT("recipes.reboot_function.apply");
  impl_->commit();
  MOULT_FAULT("recipes.reboot_function.applied");
}

bool RebootFunctionUpdate::wait_over() { return wait_departures(patience()); }
bool RebootFunctionUpdate::check_over() { return check_departures(); }

}  // namespace moult
