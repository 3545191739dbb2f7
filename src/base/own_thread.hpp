// The start of moult's own threads: the only place that makes one.
//
// Why: a new thread begins with its creator's signal mask. A program may make a Listener while it blocks every signal.
// The listener's threads would then block the stop signal too, and no stop could succeed. Or it may make one while no
// signal is blocked, and its handlers would run in moult's threads.
//
// How: the creator takes on the mask of moult's threads for the moment in which it makes one.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/strict_memory.hpp"

namespace moult::internal {

/// The calling thread has the signal mask of moult's own threads for the scope's lifetime: every signal is blocked,
/// except those that a fault raises in the thread itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT) and the
/// stop signal. Declared here and defined by the linked runtime; the native one is in platform/.
class OwnThreadSignals final {
 public:
  OwnThreadSignals() noexcept;
  ~OwnThreadSignals();
  OwnThreadSignals(const OwnThreadSignals&) = delete;
  OwnThreadSignals& operator=(const OwnThreadSignals&) = delete;

 private:
  sigset_t before_;
};

/// Runs `body` in a thread of moult's own. Threads that it starts inherit the mask. Throws std::system_error and
/// std::bad_alloc.
template <class Body>
std::jthread start_own_thread(Body body) {
  const OwnThreadSignals signals;
  return std::jthread([run = std::move(body)](std::stop_token stop) mutable {
    const StrictMemory strict;
    if constexpr (std::is_invocable_v<Body&, std::stop_token>) {
      run(std::move(stop));
    } else {
      run();
    }
  });
}

}  // namespace moult::internal
