// Threads that restart: with another main function, or with their own.
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
  /// `main` is the new main function; empty: the present one. Throws Error (not_found) when no moult::Thread of that id
  /// runs.
  static ThreadRestart prepare(ThreadId thread, MainFunction main);

  /// Throws Error: not_found when the thread stays at no static update point; unsupported when it cannot be unwound
  /// (UnwindCheck).
  void commit(const StoppedStep& step);

 private:
  std::shared_ptr<ThreadBody> body_;
  MainFunction main_;
  UnwindCheck check_;
};

}  // namespace moult::internal
