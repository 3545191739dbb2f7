#include <chrono>
#include <optional>
#include <utility>

#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "moult/reboot.hpp"
#include "moult/static_points.hpp"
#include "redefine/function_reboot.hpp"
#include "threads/stopped_world.hpp"

namespace moult {

class RebootFunctionUpdate::Impl final {
 public:
  Impl(ThreadId thread, const FunctionReboot& reboot) : thread_(thread), reboot_(reboot) {}

  void prepare() { prepared_ = redefine::PreparedReboot::prepare(thread_, reboot_); }
  void commit() { prepared_->commit(redefine::require_stopped_step("a function is rebooted")); }

  void setup(const std::vector<ThreadId>& threads) const {
    setup_wait_static_points({.names = points, .threads = threads});
  }

  /// The thread stays at its point: was it reached in the function? Otherwise the thread goes on to another one.
  bool is_in_progress(const Update& update) const {
    bool is_there = false;
    threads::in_stopped_world(
        {.timeout = update.patience().stop_timeout, .keep_out = {}},
        [&](const threads::StoppedWorld& stopped) { is_there = prepared_->is_in_progress(stopped); });
    if (is_there) return true;
    Transaction::current()->set_reason("no call of the function was in progress in " +
                                       threads::describe_thread(thread_) + " at its static update point");
    clean_failed_static_points();
    setup(update.threads());
    return false;
  }

  std::vector<std::string> points;

 private:
  ThreadId thread_;
  FunctionReboot reboot_;
  std::optional<redefine::PreparedReboot> prepared_;
};

RebootFunctionUpdate::RebootFunctionUpdate(std::string name, ThreadId thread, const FunctionReboot& reboot)
    : Update(std::move(name), {thread}), impl_(std::make_unique<Impl>(thread, reboot)) {}

RebootFunctionUpdate::~RebootFunctionUpdate() = default;

void RebootFunctionUpdate::set_points(std::vector<std::string> points) { impl_->points = std::move(points); }

void RebootFunctionUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.reboot_function.prepared");
}

void RebootFunctionUpdate::preupdate_setup() { impl_->setup(threads()); }

bool RebootFunctionUpdate::wait_alterability() {
  const auto deadline = std::chrono::steady_clock::now() + patience().sleep_time * patience().max_tries;
  while (wait_static_points_reached(patience())) {
    if (impl_->is_in_progress(*this)) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
  }
  return false;
}

bool RebootFunctionUpdate::check_alterability() {
  return check_static_points_reached(patience()) && impl_->is_in_progress(*this);
}

void RebootFunctionUpdate::clean_failed_alterability() { clean_failed_static_points(); }

void RebootFunctionUpdate::apply() {
  MOULT_FAULT("recipes.reboot_function.apply");
  impl_->commit();
  MOULT_FAULT("recipes.reboot_function.applied");
}

bool RebootFunctionUpdate::wait_over() { return wait_departures(patience()); }
bool RebootFunctionUpdate::check_over() { return check_departures(); }

}  // namespace moult
