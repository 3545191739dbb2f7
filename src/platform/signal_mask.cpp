#include "platform/signal_mask.hpp"

#include <exception>
#include <initializer_list>

#include "base/own_thread.hpp"
#include "platform/stop_signal.hpp"

namespace moult::internal {
namespace {

/// A blocked signal of a fault would end the program.
void take_faults_out(sigset_t& set) noexcept {
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&set, fault);
}

/// 0 if there is none.
int stop_signal_if_any() noexcept {
  try {
    return stop_signal();
  } catch (const std::exception&) {  // no signal is free: every stop says so
    return 0;
  }
}

}  // namespace

sigset_t ignored_signals() noexcept {
  sigset_t ignored;
  sigemptyset(&ignored);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    struct sigaction current {};
    if (::sigaction(signal, nullptr, &current) != 0 || (current.sa_flags & SA_SIGINFO) != 0) continue;
    bool is_harmless = signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
    if (current.sa_handler == SIG_IGN || (current.sa_handler == SIG_DFL && is_harmless)) sigaddset(&ignored, signal);
  }
  return ignored;
}

OrdinarySignalsBlocked::OrdinarySignalsBlocked(const sigset_t& open) noexcept {
  sigset_t ordinary;
  sigemptyset(&ordinary);
  constexpr int last_standard_signal = 31;
  for (int signal = 1; signal <= last_standard_signal; ++signal)
    if (sigismember(&open, signal) == 0) sigaddset(&ordinary, signal);
  take_faults_out(ordinary);
  pthread_sigmask(SIG_BLOCK, &ordinary, &before_);
}

OrdinarySignalsBlocked::~OrdinarySignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void block_signals_for_good() noexcept {
  sigset_t all;
  sigfillset(&all);
  take_faults_out(all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

OwnThreadSignals::OwnThreadSignals() noexcept {
  sigset_t blocked;
  sigfillset(&blocked);
  take_faults_out(blocked);
  if (const int signal = stop_signal_if_any(); signal != 0) sigdelset(&blocked, signal);
  pthread_sigmask(SIG_SETMASK, &blocked, &before_);
}

OwnThreadSignals::~OwnThreadSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace moult::internal
