#include "base/transaction.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace moult::internal {
namespace {

UndoStep step(std::vector<std::string> what) { return {.what = std::move(what), .check = {}, .undo = {}}; }

TEST(Transaction, ListsTheChangesInTheirOrder) {
  Transaction transaction;
  transaction.add(step({"f redefined", "g redefined"}));
  transaction.add(step({}));
  transaction.add(step({"f redefined"}));
  EXPECT_THAT(transaction.changes(), testing::ElementsAre("f redefined", "g redefined", "f redefined"));
}

TEST(Transaction, CountsEqualChangesThatFollowEachOther) {
  Transaction transaction;
  for (int i = 0; i < 3; ++i) transaction.add(step({"an object converted"}));
  transaction.add(step({"f redefined"}));
  EXPECT_THAT(transaction.changes(), testing::ElementsAre("an object converted, 3 times", "f redefined"));
}

TEST(Transaction, CallsOnceWhatWaitsForTheEndOfAnAttempt) {
  Transaction transaction;
  int times = 0;
  transaction.on_attempt_end([&times] { ++times; });
  EXPECT_EQ(times, 0);
  transaction.end_attempt();
  transaction.end_attempt();
  EXPECT_EQ(times, 1);
}

TEST(Transaction, EndsTheAttemptWhenItIsDestroyed) {
  int times = 0;
  {
    Transaction transaction;
    transaction.on_attempt_end([&times] { ++times; });
  }
  EXPECT_EQ(times, 1);
}

TEST(Transaction, IsInHandWhileAStepIsCalled) {
  Transaction transaction;
  EXPECT_FALSE(transaction.is_in_hand());
  {
    const Transaction::Scope outer(transaction);
    { const Transaction::Scope inner(transaction); }
    EXPECT_TRUE(transaction.is_in_hand());
  }
  EXPECT_FALSE(transaction.is_in_hand());
}

TEST(Transaction, RunsItsPauseOnTheGivenRunnerOnce) {
  Transaction transaction;
  int runs = 0;
  int steps = 0;
  transaction.run_pause_on([&runs](const std::function<void()>& act) { act(), ++runs; });
  transaction.run_pause([&steps] { ++steps; });
  transaction.run_pause([&steps] { ++steps; });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(steps, 2);
}

}  // namespace
}  // namespace moult::internal
