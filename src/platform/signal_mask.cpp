#include "platform/signal_mask.hpp"

#include <initializer_list>

namespace moult::internal {

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

OrdinarySignalsBlocked::OrdinarySignalsBlocked() noexcept { block(nullptr); }

OrdinarySignalsBlocked::OrdinarySignalsBlocked(const sigset_t& open) noexcept { block(&open); }

void OrdinarySignalsBlocked::block(const sigset_t* open) noexcept {
  sigset_t ordinary;
  sigemptyset(&ordinary);
  constexpr int last_standard_signal = 31;
  for (int signal = 1; signal <= last_standard_signal; ++signal)
    if (open == nullptr || sigismember(open, signal) == 0) sigaddset(&ordinary, signal);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&ordinary, fault);
  pthread_sigmask(SIG_BLOCK, &ordinary, &before_);
}

void block_signals_for_good() noexcept {
  sigset_t all;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

OrdinarySignalsBlocked::~OrdinarySignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace moult::internal
