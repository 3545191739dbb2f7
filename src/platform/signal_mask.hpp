// Signal masks of moult's own threads. They must not run the program's signal handlers.
//
// Nor may they block a signal that the program ignores. The kernel drops such a signal at once, but queues it for a
// thread that has blocked it. Then it wakes another thread, whose epoll_wait, which the kernel never restarts, returns
// EINTR for no reason.
#pragma once

#include <csignal>

namespace moult::internal {

/// The signals that have no effect now: the program ignores them, or their default is to be ignored.
sigset_t ignored_signals() noexcept;

/// Blocks the standard signals in the calling thread for the scope's lifetime. A thread that is created meanwhile
/// begins with them blocked. Signals that a fault raises in the thread itself stay unblocked (SIGSEGV, SIGBUS, SIGFPE,
/// SIGILL, SIGTRAP, SIGABRT), and so do real-time signals, moult's stop signal among them.
class OrdinarySignalsBlocked final {
 public:
  OrdinarySignalsBlocked() noexcept;
  /// Does not change the signals in `open`.
  explicit OrdinarySignalsBlocked(const sigset_t& open) noexcept;
  ~OrdinarySignalsBlocked();
  OrdinarySignalsBlocked(const OrdinarySignalsBlocked&) = delete;
  OrdinarySignalsBlocked& operator=(const OrdinarySignalsBlocked&) = delete;

 private:
  void block(const sigset_t* open) noexcept;

  sigset_t before_;
};

/// Blocks all signals in the calling thread, real-time ones too, except those that a fault raises in the thread itself.
void block_signals_for_good() noexcept;

}  // namespace moult::internal
