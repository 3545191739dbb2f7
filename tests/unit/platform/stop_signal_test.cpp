#include "platform/stop_signal.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace moult::internal {
namespace {

constexpr std::uint32_t vacant = 0;
constexpr std::uint32_t arriving = 2;
constexpr std::uint32_t stopped = 3;

TEST(StopSignal, AThreadReleasedWhileItArrivesDoesNotStayStopped) {
  // The handler counts itself as arrived before it returns the slot, so the stopper may be that early.
  for (int round = 0; round < 50; ++round) {
    StopSlot slot;
    slot.word = arriving;
    std::atomic<bool> is_let_go{false};
    std::thread handler([&] {
      for (int i = 0; i < 200 && !is_let_go; ++i) std::this_thread::yield();
      slot.word = stopped;
    });
    Release().add(slot);
    is_let_go = true;
    handler.join();
    EXPECT_EQ(slot.word.load(), vacant);
  }
}

TEST(StopSignal, ARehearsedRequestSendsNothing) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
  rehearse_request();
  sigset_t pending;
  sigpending(&pending);
  for (int signal = 1; signal <= SIGRTMAX; ++signal) EXPECT_NE(sigismember(&pending, signal), 1) << signal;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace moult::internal
