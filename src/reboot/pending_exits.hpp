// Threads that leave a call when they are let go from their static update point.
#pragma once

#include <memory>
#include <string>

#include "base/transaction.hpp"
#include "moult/update.hpp"
#include "reboot/unwind_check.hpp"
#include "threads/stopped_world.hpp"
#include "unwind/forced_unwind.hpp"

namespace moult::internal {

/// One thread's, from one call. What it goes on with comes with the classes derived from this one.
class PendingExit : public ForcedUnwind {
 public:
  /// `call` is what is left, for messages: "the main function of worker (12)".
  PendingExit(ThreadId thread, std::string call, const Exit& exit)
      : ForcedUnwind(exit), thread_(thread), call_(std::move(call)) {}

  ThreadId thread() const noexcept { return thread_; }
  const std::string& call() const noexcept { return call_; }

 private:
  void on_handled() noexcept override;

  ThreadId thread_;
  std::string call_;
};

/// The step that is being called, in a stopped program. Throws Error (invalid_argument): "WHAT only in apply, ...".
struct StoppedStep {
  const StoppedWorld& stopped;
  Transaction& transaction;
};
StoppedStep require_stopped_step(const std::string& what);

/// When the thread is let go it departs. `line` tells what the update has done. Undone before that, it does not; later
/// it cannot be taken back (unsupported). Throws Error (not_found) when the thread stays at no static update point.
void schedule_exit(const StoppedStep& step, const std::shared_ptr<PendingExit>& exit, const std::string& line);

}  // namespace moult::internal
