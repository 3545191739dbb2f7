#include "lifecycle/change_token.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fake_program.hpp"

namespace moult::internal {
namespace {

TEST(ChangeArbiter, GivesOneTokenAtATime) {
  ChangeArbiter arbiter;
  ChangeToken first = arbiter.try_take();
  EXPECT_TRUE(first);
  EXPECT_FALSE(arbiter.try_take());
  first.release();
  EXPECT_TRUE(arbiter.try_take());
}

TEST(ChangeArbiter, AChangeTokenIsNoLockSoThatTheProgramMayBeStoppedInIt) {
  ChangeArbiter arbiter;
  ChangeToken token = arbiter.try_take();
  EXPECT_EQ(lock_use().held, 0);
}

TEST(ChangeArbiter, WaitsUntilTheDeadline) {
  ChangeArbiter arbiter;
  ChangeToken first = arbiter.try_take();
  EXPECT_FALSE(arbiter.take(deadline_after(std::chrono::milliseconds(1))));
}

TEST(ChangeArbiter, HandsTheTokenToOneThatWaits) {
  ChangeArbiter arbiter;
  ChangeToken first = arbiter.try_take();
  std::jthread other([token = std::move(first)]() mutable { token.release(); });
  EXPECT_TRUE(arbiter.take(deadline_after(std::chrono::minutes(1))));
}

TEST(ChangeArbiter, WakesOneThatGivesUp) {
  ChangeArbiter arbiter;
  ChangeToken first = arbiter.try_take();
  std::atomic<bool> given_up = false;
  std::jthread other([&] {
    given_up = true;
    arbiter.wake();
  });
  EXPECT_FALSE(arbiter.take(deadline_after(std::chrono::minutes(1)), [&] { return given_up.load(); }));
}

TEST(ChangeArbiter, KeepsManyThreadsApart) {
  ChangeArbiter arbiter;
  int changed = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) {
          ChangeToken token = arbiter.take(deadline_after(std::chrono::minutes(1)));
          ++changed;
        }
      });
  }
  EXPECT_EQ(changed, 4000);
}

}  // namespace
}  // namespace moult::internal
