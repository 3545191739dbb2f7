// Threads that run another main function, or theirs anew.
#pragma once

#include <functional>
#include <memory>

#include "points/thread_body.hpp"
#include "reboot/pending_exits.hpp"
#include "reboot/unwind_check.hpp"

namespace moult::internal {

/// Prepared while the program runs, committed in the stop.
class ThreadRestart final {
 public:
  /// `main` is what it runs then; empty: what it ran. Throws Error (not_found) when no moult::Thread of that id runs.
  static ThreadRestart prepare(ThreadId thread, MainFunction main);

  /// Throws Error: not_found when the thread stays at no static update point; unsupported when it cannot be unwound
  /// (ExitCheck).
  void commit(const StoppedStep& step);

 private:
  std::shared_ptr<ThreadBody> body_;
  MainFunction main_;
  ExitCheck check_;
};

}  // namespace moult::internal
