#include "platform/signal_mask.hpp"

#include <gtest/gtest.h>

#include "base/own_thread.hpp"
#include "platform/stop_signal.hpp"

namespace moult::internal {
namespace {

bool is_blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

sigset_t no_signals() {
  sigset_t none;
  sigemptyset(&none);
  return none;
}

TEST(SignalMask, BlocksWhatAProgramHandlesAndLeavesFaultsAndRealTimeSignalsOpen) {
  const OrdinarySignalsBlocked blocked(no_signals());
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE, SIGPROF, SIGWINCH})
    EXPECT_TRUE(is_blocked(signal)) << signal;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT})
    EXPECT_FALSE(is_blocked(signal)) << signal;
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) EXPECT_FALSE(is_blocked(signal)) << signal;
}

TEST(SignalMask, IsRestoredAtTheEndOfTheScope) {
  sigset_t user1 = no_signals();
  sigaddset(&user1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &user1, nullptr);
  { const OrdinarySignalsBlocked blocked(no_signals()); }
  EXPECT_TRUE(is_blocked(SIGUSR1));
  EXPECT_FALSE(is_blocked(SIGTERM));
  pthread_sigmask(SIG_UNBLOCK, &user1, nullptr);
}

/// Starts a thread of moult's own with `creator` as this thread's mask.
void expect_own_mask(const sigset_t& creator) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &creator, &before);
  start_own_thread([] {
    EXPECT_FALSE(is_blocked(stop_signal()));
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT})
      EXPECT_FALSE(is_blocked(signal)) << signal;
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE, SIGPROF, SIGWINCH})
      EXPECT_TRUE(is_blocked(signal)) << signal;
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal)
      EXPECT_EQ(is_blocked(signal), signal != stop_signal()) << signal;
  }).join();
  for (const int signal : {SIGSEGV, SIGTERM, SIGTRAP, SIGUSR1, SIGRTMIN, stop_signal()})
    EXPECT_EQ(is_blocked(signal), sigismember(&creator, signal) == 1) << signal;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(SignalMask, OfMoultsOwnThreadsIsTheSameWhateverItsCreatorBlocks) {
  sigset_t all;
  sigfillset(&all);
  expect_own_mask(all);
  expect_own_mask(no_signals());
}

}  // namespace
}  // namespace moult::internal
