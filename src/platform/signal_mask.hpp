// Threads of moult's own must not run the program's signal handlers.
#pragma once

#include <signal.h>

namespace moult::platform {

/// Blocks the standard signals in the calling thread for the scope's life; a thread made meanwhile begins with them
/// blocked. Left open are those that a fault raises in the thread itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
/// SIGABRT) and the real-time ones: moult's own stop signal is among them.
class OrdinarySignalsBlocked final {
 public:
  OrdinarySignalsBlocked() noexcept;
  ~OrdinarySignalsBlocked();
  OrdinarySignalsBlocked(const OrdinarySignalsBlocked&) = delete;
  OrdinarySignalsBlocked& operator=(const OrdinarySignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace moult::platform
