// Variables of calls in progress that are set to other values, in code of both compilers with and without optimisation.
#include "stacks/local_change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "frames_fixture.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using LocalChangeTest = FramesOfBuild;
MOULT_FOR_EACH_BUILD(LocalChangeTest);

constexpr std::chrono::milliseconds long_enough = 10s;

std::vector<std::string> values_of(ThreadId thread, const std::string& name) {
  std::vector<std::string> values;
  for (const StackFrame& frame : read_stack(thread, long_enough))
    for (const StackVariable& variable : frame.variables)
      if (variable.name == name) values.push_back(variable.value);
  return values;
}

template <class Call>
void expect_refused_naming(ErrorCode code, const std::vector<std::string>& words, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& word : words) EXPECT_THAT(error.what(), HasSubstr(word));
  }
}

TEST_P(LocalChangeTest, AllCallsOfARecursionAreChangedAndGoOnWithTheNewValue) {
  int result = 0;
  {
    Standing standing([&](const frames::Pause& pause) { result = entries->recurses(5, &pause); });
    EXPECT_EQ(update_local_var(entries->recurses, "level", 7, {.threads = {}, .timeout = long_enough}), 6u);
    EXPECT_THAT(values_of(standing.thread(), "level"), testing::ElementsAre("7", "7", "7", "7", "7", "7"));
  }
  EXPECT_EQ(result, 42);
}

TEST_P(LocalChangeTest, ARegisterThatCallsPreserveIsChangedWhereItIsSaved) {
  int result = 0;
  {
    Standing standing([&](const frames::Pause& pause) { result = entries->holds(&pause); });
    EXPECT_THAT(values_of(standing.thread(), "held"), testing::ElementsAre("13"));
    EXPECT_EQ(update_local_var(entries->holds, "held", 77, {.threads = {}, .timeout = long_enough}), 1u);
    EXPECT_THAT(values_of(standing.thread(), "held"), testing::ElementsAre("77"));
  }
  EXPECT_EQ(result, 77);
}

TEST_P(LocalChangeTest, AThreadStoppedInItsOwnCodeIsChangedOrRefusedAsAWhole) {
  std::atomic<ThreadId> spinning{};
  volatile bool go_on = true;
  long result = 0;
  std::thread thread([&] {
    spinning = this_thread_id();
    result = entries->spins(&go_on);
  });
  std::size_t count = 0;
  bool is_refused = false;
  while (count == 0 && !is_refused) {
    try {
      count = update_local_var(entries->spins, "turns", 1'000'000'000'001L, {.threads = {}, .timeout = long_enough});
    } catch (const Error& error) {
      // A thread that stands before its loop is refused as still active; then the test tries again.
      is_refused = error.code() == ErrorCode::unsupported && is_optimised();
      EXPECT_TRUE(is_refused || error.code() == ErrorCode::still_active) << error.what();
    }
  }
  go_on = false;
  thread.join();
  EXPECT_EQ(count == 1, result > 1'000'000'000'000L && result % 2 == 1) << result;
}

TEST_P(LocalChangeTest, OnlyTheNamedThreadsAreChanged) {
  Standing one([this](const frames::Pause& pause) { entries->recurses(1, &pause); });
  Standing other([this](const frames::Pause& pause) { entries->recurses(2, &pause); });
  EXPECT_EQ(update_local_var(entries->recurses, "level", 3, {.threads = {other.thread()}, .timeout = long_enough}), 3u);
  EXPECT_THAT(values_of(one.thread(), "level"), testing::ElementsAre("0", "10"));
  EXPECT_THAT(values_of(other.thread(), "level"), testing::ElementsAre("3", "3", "3"));
}

TEST_P(LocalChangeTest, AVariableThatIsOptimizedOutIsRefused) {
  Standing standing([this](const frames::Pause& pause) { entries->forgets(&pause); });
  const auto change = [&] {
    return update_local_var(entries->forgets, "gone", 1, {.threads = {}, .timeout = long_enough});
  };
  if (!is_optimised()) {
    EXPECT_EQ(change(), 1u);
    return;
  }
  expect_refused_naming(ErrorCode::unsupported,
                        {"gone of frames::forgets(frames::Pause const*): optimized out at ",
                         "frames.cpp:", "declare it volatile", "nothing was changed"},
                        change);
}

TEST_P(LocalChangeTest, AnotherTypeIsRefused) {
  expect_refused_naming(ErrorCode::signature_mismatch,
                        {"level of frames::recurses(int, frames::Pause const*) is of type int, "
                         "not unsigned int"},
                        [this] { update_local_var(entries->recurses, "level", 7u); });
}

TEST_P(LocalChangeTest, AConstantIsRefused) {
  expect_refused_naming(ErrorCode::invalid_argument, {"fixed of ", " is const"},
                        [this] { update_local_var(entries->kept, "fixed", 7); });
}

TEST_P(LocalChangeTest, WhereNoCallIsInProgressNothingIsChanged) {
  EXPECT_EQ(update_local_var(entries->recurses, "level", 7, {.threads = {}, .timeout = long_enough}), 0u);
}

TEST_P(LocalChangeTest, InTheSameStopItIsPutBack) {
  Standing standing([this](const frames::Pause& pause) { entries->recurses(5, &pause); });
  Transaction transaction;
  {
    const Transaction::Scope scope(transaction);
    const LocalVariable<int> level(entries->recurses, "level");
    transaction.hold(suspend_program(long_enough));
    EXPECT_EQ(level.set(7), 6u);
    EXPECT_EQ(level.set(8), 6u);
    EXPECT_THAT(transaction.changes(), testing::ElementsAre("level of frames::recurses(int, frames::Pause const*) set "
                                                            "in 6 calls, 2 times"));
    transaction.undo_all();
    transaction.resume();
  }
  EXPECT_THAT(values_of(standing.thread(), "level"), testing::ElementsAre("0", "10", "20", "30", "40", "50"));
}

TEST_P(LocalChangeTest, OnceTheProgramHasGoneOnItCannotBeTakenBack) {
  Standing standing([this](const frames::Pause& pause) { entries->recurses(1, &pause); });
  Transaction transaction;
  const Transaction::Scope scope(transaction);
  transaction.hold(suspend_program(long_enough));
  update_local_var(entries->recurses, "level", 7);
  transaction.resume();
  transaction.hold(suspend_program(long_enough));
  expect_refused_naming(ErrorCode::unsupported, {"level of ", "cannot be undone once the program has gone on"},
                        [&] { transaction.check_undo(); });
  transaction.resume();
}

}  // namespace
}  // namespace moult::internal
