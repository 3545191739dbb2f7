#include "lifecycle/undo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_program.hpp"

namespace moult::internal {
namespace {

using test::program;

class Undo : public testing::Test {
 protected:
  void SetUp() override { program.reset(); }
  void TearDown() override { EXPECT_EQ(program.stopped_now, 0); }

  void change(int fresh, std::function<void()> check = {}) {
    Transaction::Scope scope(transaction_);
    test::set_version(fresh, std::move(check));
  }
  static UndoBounds bounds(std::chrono::milliseconds all) {
    return {.stop_timeout = std::chrono::milliseconds(10), .deadline = deadline_after(all)};
  }
  Transaction transaction_;
};

TEST_F(Undo, DoesNotStopTheProgramWithoutChanges) {
  EXPECT_FALSE(undo_changes(transaction_, bounds(std::chrono::minutes(1))));
  EXPECT_EQ(program.stops, 0);
}

TEST_F(Undo, UndoesTheLastChangeFirst) {
  change(2);
  change(3);
  EXPECT_FALSE(undo_changes(transaction_, bounds(std::chrono::minutes(1))));
  transaction_.resume();
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(program.stops, 1);
}

TEST_F(Undo, UsesAnExistingStop) {
  change(2);
  transaction_.hold(suspend_program(std::chrono::milliseconds(1)));
  EXPECT_FALSE(undo_changes(transaction_, bounds(std::chrono::minutes(1))));
  EXPECT_NE(transaction_.suspension(), nullptr);
  transaction_.resume();
  EXPECT_EQ(program.stops, 1);
}

TEST_F(Undo, TriesAtLeastOnceAndEndsWithTheReasonAndEveryChangeLeft) {
  change(2);
  change(3, [] { throw Error(ErrorCode::still_active, "version 3 is active"); });
  std::optional<StepFailure> failure = undo_changes(transaction_, bounds(std::chrono::milliseconds(0)));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, ErrorCode::still_active);
  EXPECT_EQ(failure->reason, "version 3 is active");
  EXPECT_EQ(transaction_.steps().size(), 2u);
  EXPECT_EQ(program.version, 3);
}

TEST_F(Undo, RetriesAStopThatFails) {
  change(2);
  program.failing_stops = 3;
  EXPECT_FALSE(undo_changes(transaction_, bounds(std::chrono::minutes(1))));
  transaction_.resume();
  EXPECT_EQ(program.version, 1);
}

}  // namespace
}  // namespace moult::internal
