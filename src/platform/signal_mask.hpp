// Threads of moult's own must not run the program's signal handlers.
//
// Nor must a signal be blocked that the program ignores: the kernel drops one where it is raised, but queues it where
// the thread it is raised for has blocked it. Then it wakes some other thread, and that one's epoll_wait, which the
// kernel never restarts, returns EINTR for nothing.
#pragma once

#include <csignal>

namespace moult::internal {

/// The signals that have no effect now: ignored by the program, or by default where it left them alone.
sigset_t ignored_signals() noexcept;

/// Blocks the standard signals in the calling thread for the scope's life; a thread made meanwhile begins with them
/// blocked. Left open are those that a fault raises in the thread itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
/// SIGABRT) and the real-time ones: moult's own stop signal is among them.
class OrdinarySignalsBlocked final {
 public:
  OrdinarySignalsBlocked() noexcept;
  /// Leaves those in `open` as they are.
  explicit OrdinarySignalsBlocked(const sigset_t& open) noexcept;
  ~OrdinarySignalsBlocked();
  OrdinarySignalsBlocked(const OrdinarySignalsBlocked&) = delete;
  OrdinarySignalsBlocked& operator=(const OrdinarySignalsBlocked&) = delete;

 private:
  void block(const sigset_t* open) noexcept;

  sigset_t before_;
};

/// Blocks all signals in the calling thread, real-time ones too, but for those that a fault raises in the thread
/// itself.
void block_signals_for_good() noexcept;

}  // namespace moult::internal
