// Pending exits: threads that leave a call when they are released from their static update point.
#pragma once

#include <memory>
#include <string>

#include "base/transaction.hpp"
#include "moult/update.hpp"
#include "reboot/unwind_check.hpp"
#include "threads/stopped_world.hpp"
#include "unwind/forced_unwind.hpp"

namespace moult::internal {

/// One thread's exit from one call. Derived classes know what the thread goes on with.
class PendingExit : public ForcedUnwind {
 public:
  /// `call` names the call for messages: "the main function of worker (12)".
  PendingExit(ThreadId thread, std::string call, const Exit& exit)
      : ForcedUnwind(exit), thread_(thread), call_(std::move(call)) {}

  ThreadId thread() const noexcept { return thread_; }
  const std::string& call() const noexcept { return call_; }

 private:
  void on_handled() noexcept override;

  ThreadId thread_;
  std::string call_;
};

/// The current step, in a stopped program. Throws Error (invalid_argument): "WHAT only in apply, ...".
struct StoppedStep {
  const StoppedWorld& stopped;
  Transaction& transaction;
};
StoppedStep require_stopped_step(const std::string& what);

/// Makes the thread leave its call when it is released. `line` is the change's line in the report. Undo cancels the
/// exit before that; afterwards a rollback is refused (unsupported). Throws Error (not_found) when the thread stays at
/// no static update point.
void schedule_exit(const StoppedStep& step, const std::shared_ptr<PendingExit>& exit, const std::string& line);

/// The exit that the transaction has scheduled for the thread, if it has not begun; otherwise null.
std::shared_ptr<PendingExit> scheduled_exit(const Transaction& transaction, ThreadId thread);

}  // namespace moult::internal
