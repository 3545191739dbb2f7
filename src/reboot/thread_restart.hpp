// Threads that run another main function, or theirs anew.
#pragma once

#include <functional>
#include <memory>

#include "points/thread.hpp"
#include "reboot/pending_exits.hpp"
#include "reboot/unwind_check.hpp"

namespace moult::internal {

/// Prepared while the program runs, committed in the stop.
class ThreadRestart final {
 public:
  /// `main` is what it shall run; empty: what it ran. Throws Error (not_found) when no moult::Thread of that id runs.
  static ThreadRestart prepare(ThreadId thread, std::function<void()> main);

  /// Throws Error: not_found when the thread stays at no static update point; unsupported when it cannot be unwound
  /// (UnwindCheck).
  void commit(const StoppedStep& step);

 private:
  std::shared_ptr<ThreadBody> body_;
  std::function<void()> main_;
  UnwindCheck check_;
};

}  // namespace moult::internal
