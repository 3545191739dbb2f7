// Signal masks of threads at work for moult. They must not run the program's signal handlers. The mask of moult's own
// threads is OwnThreadSignals (base/own_thread.hpp).
//
// A thread of the program that makes a stop must not block a signal that the program ignores. The kernel drops such a
// signal at once, but queues it for a thread that has blocked it. Then it wakes another thread, whose epoll_wait, which
// the kernel never restarts, returns EINTR for no reason.
#pragma once

#include <csignal>

namespace moult::internal {

/// The signals that have no effect now: the program ignores them, or their default is to be ignored.
sigset_t ignored_signals() noexcept;

/// Blocks the standard signals except those in `open` in the calling thread for the scope's lifetime. Signals that a
/// fault raises in the thread itself stay as they are (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT), and so do
/// real-time signals, moult's stop signal among them.
class OrdinarySignalsBlocked final {
 public:
  explicit OrdinarySignalsBlocked(const sigset_t& open) noexcept;
  ~OrdinarySignalsBlocked();
  OrdinarySignalsBlocked(const OrdinarySignalsBlocked&) = delete;
  OrdinarySignalsBlocked& operator=(const OrdinarySignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

/// Blocks all signals in the calling thread, real-time ones too, except those that a fault raises in the thread itself.
void block_signals_for_good() noexcept;

}  // namespace moult::internal
