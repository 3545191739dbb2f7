#include "platform/signal_mask.hpp"

#include <initializer_list>

namespace moult::platform {

OrdinarySignalsBlocked::OrdinarySignalsBlocked() noexcept {
  sigset_t ordinary;
  sigemptyset(&ordinary);
  constexpr int last_standard_signal = 31;
  for (int signal = 1; signal <= last_standard_signal; ++signal) sigaddset(&ordinary, signal);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&ordinary, fault);
  pthread_sigmask(SIG_BLOCK, &ordinary, &before_);
}

OrdinarySignalsBlocked::~OrdinarySignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace moult::platform
