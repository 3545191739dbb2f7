#include "lifecycle/change_gate.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fake_program.hpp"

namespace moult::internal {
namespace {

TEST(ChangeGate, GivesOneTurnAtATime) {
  ChangeGate gate;
  ChangeTurn first = gate.try_take();
  EXPECT_TRUE(first);
  EXPECT_FALSE(gate.try_take());
  first.release();
  EXPECT_TRUE(gate.try_take());
}

TEST(ChangeGate, ATurnIsNoLockSoThatTheProgramMayBeStoppedInIt) {
  ChangeGate gate;
  ChangeTurn turn = gate.try_take();
  EXPECT_EQ(lock_use().held, 0);
}

TEST(ChangeGate, WaitsUntilTheDeadline) {
  ChangeGate gate;
  ChangeTurn first = gate.try_take();
  EXPECT_FALSE(gate.take(deadline_after(std::chrono::milliseconds(1))));
}

TEST(ChangeGate, HandsTheTurnToOneThatWaits) {
  ChangeGate gate;
  ChangeTurn first = gate.try_take();
  std::jthread other([turn = std::move(first)]() mutable { turn.release(); });
  EXPECT_TRUE(gate.take(deadline_after(std::chrono::minutes(1))));
}

TEST(ChangeGate, WakesOneThatGivesUp) {
  ChangeGate gate;
  ChangeTurn first = gate.try_take();
  std::atomic<bool> given_up = false;
  std::jthread other([&] {
    given_up = true;
    gate.wake();
  });
  EXPECT_FALSE(gate.take(deadline_after(std::chrono::minutes(1)), [&] { return given_up.load(); }));
}

TEST(ChangeGate, KeepsManyThreadsApart) {
  ChangeGate gate;
  int changed = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) {
          ChangeTurn turn = gate.take(deadline_after(std::chrono::minutes(1)));
          ++changed;
        }
      });
  }
  EXPECT_EQ(changed, 4000);
}

}  // namespace
}  // namespace moult::internal
