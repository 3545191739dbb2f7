#include "platform/signal_mask.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

bool is_blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

TEST(SignalMask, BlocksWhatAProgramHandlesAndLeavesFaultsAndRealTimeSignalsOpen) {
  const OrdinarySignalsBlocked blocked;
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE, SIGPROF, SIGWINCH})
    EXPECT_TRUE(is_blocked(signal)) << signal;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT})
    EXPECT_FALSE(is_blocked(signal)) << signal;
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) EXPECT_FALSE(is_blocked(signal)) << signal;
}

TEST(SignalMask, IsRestoredAtTheEndOfTheScope) {
  sigset_t user1;
  sigemptyset(&user1);
  sigaddset(&user1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &user1, nullptr);
  { const OrdinarySignalsBlocked blocked; }
  EXPECT_TRUE(is_blocked(SIGUSR1));
  EXPECT_FALSE(is_blocked(SIGTERM));
  pthread_sigmask(SIG_UNBLOCK, &user1, nullptr);
}

}  // namespace
}  // namespace moult::internal
