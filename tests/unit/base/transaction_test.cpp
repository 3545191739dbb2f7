#include "base/transaction.hpp"

#include <gmock/gmock.h>

namespace moult {
namespace {

UndoStep step(std::vector<std::string> what) { return {.what = std::move(what), .check = {}, .undo = {}}; }

TEST(Transaction, TellsTheChangesInTheOrderTheyWereMade) {
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

}  // namespace
}  // namespace moult
