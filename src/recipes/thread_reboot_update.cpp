#include <optional>
#include <utility>

#include "base/fault.hpp"
#include "moult/reboot.hpp"
#include "reboot/thread_restart.hpp"

namespace moult {

class ThreadRebootUpdate::Impl final {
 public:
  Impl(ThreadId thread, internal::MainFunction main) : thread_(thread), main_(std::move(main)) {}

  void prepare() { restart_ = internal::ThreadRestart::prepare(thread_, main_); }
  void commit() { restart_->commit(internal::require_stopped_step("a thread is restarted")); }
  /// The thread has what it runs.
  void forget() {
    restart_.reset();
    main_ = {};
  }

 private:
  ThreadId thread_;
  internal::MainFunction main_;
  std::optional<internal::ThreadRestart> restart_;
};

ThreadRebootUpdate::ThreadRebootUpdate(std::string name, ThreadId thread, std::function<void()> main,
                                       detail::Caller caller)
    : StaticPointUpdate(std::move(name), {}, {thread}),
      impl_(std::make_unique<Impl>(thread, internal::main_function(std::move(main), caller))) {}

ThreadRebootUpdate::ThreadRebootUpdate(std::string name, ThreadId thread)
    : StaticPointUpdate(std::move(name), {}, {thread}),
      impl_(std::make_unique<Impl>(thread, internal::MainFunction())) {}

ThreadRebootUpdate::~ThreadRebootUpdate() = default;

void ThreadRebootUpdate::prepare() {
  impl_->prepare();
  MOULT_FAULT("recipes.thread_reboot.prepared");
}

void ThreadRebootUpdate::apply() {
  MOULT_FAULT("recipes.thread_reboot.apply");
  impl_->commit();
  MOULT_FAULT("recipes.thread_reboot.applied");
}

bool ThreadRebootUpdate::wait_over() { return wait_departures(patience()); }
bool ThreadRebootUpdate::check_over() { return check_departures(); }
void ThreadRebootUpdate::cleanup() { impl_->forget(); }

}  // namespace moult
