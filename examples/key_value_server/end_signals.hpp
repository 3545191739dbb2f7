// The signals that end a program in order.
#pragma once

#include <csignal>

namespace key_value {

/// To be waited for, not to interrupt whichever thread: blocked before any thread begins.
inline sigset_t block_end_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return ends;
}

}  // namespace key_value
