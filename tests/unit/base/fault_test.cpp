#include "base/fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

int passed = 0;

void do_first_step() {
  MOULT_FAULT("test.job.first");
  ++passed;
}

void do_second_step() {
  MOULT_FAULT("test.job.second");
  ++passed;
}

TEST(Fault, AnUnarmedPointDoesNothing) {
  passed = 0;
  do_first_step();
  do_second_step();
  EXPECT_EQ(passed, 2);
}

TEST(Fault, EveryPointIsListedBeforeItWasReached) {
  EXPECT_THAT(fault_points(), testing::IsSupersetOf({"test.job.first", "test.job.second"}));
}

TEST(Fault, TheNthHitOfTheNamedPointThrowsAndNoOther) {
  passed = 0;
  ArmedFault armed("test.job.first", 2);
  do_first_step();
  do_second_step();
  EXPECT_FALSE(armed.fired());
  EXPECT_THROW(do_first_step(), Error);
  EXPECT_TRUE(armed.fired());
  do_first_step();
  EXPECT_EQ(passed, 3);
}

TEST(Fault, CanMakeMemoryRunOut) {
  ArmedFault armed("test.job.second", 1, FaultKind::out_of_memory);
  EXPECT_THROW(do_second_step(), std::bad_alloc);
}

TEST(Fault, AnArmedPointIsDisarmedAtTheEndOfItsScope) {
  { ArmedFault armed("test.job.first"); }
  EXPECT_NO_THROW(do_first_step());
}

TEST(Fault, HitsAreCountedInPlaceOfFailing) {
  passed = 0;
  {
    const CountedHits counted;
    do_first_step();
    do_first_step();
    EXPECT_EQ(counted.of("test.job.first"), 2u);
    EXPECT_EQ(counted.of("test.job.second"), 0u);
  }
  do_second_step();
  const CountedHits counted;
  EXPECT_EQ(counted.of("test.job.first"), 0u);
  EXPECT_EQ(counted.of("test.job.second"), 0u);
  EXPECT_EQ(passed, 3);
}

TEST(Fault, AnUnknownNameIsRefused) {
  try {
    ArmedFault armed("test.job.third");
    FAIL() << "an unknown point was armed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), testing::HasSubstr("test.job.third"));
  }
}

/// Runs this program again with MOULT_FAULT set and returns its exit status, the number of steps done.
int run_with(const char* fault) {
  ::setenv("MOULT_FAULT", fault, 1);
  ::setenv("MOULT_FAULT_TEST_CHILD", "1", 1);
  int status = std::system("exec /proc/$PPID/exe --gtest_filter=FaultChild.* >/dev/null 2>&1");
  ::unsetenv("MOULT_FAULT");
  ::unsetenv("MOULT_FAULT_TEST_CHILD");
  return WEXITSTATUS(status);
}

TEST(FaultChild, ExitsWithTheNumberOfStepsDone) {
  if (std::getenv("MOULT_FAULT_TEST_CHILD") == nullptr) return;  // only meant for the program started by run_with
  passed = 0;
  try {
    for (int i = 0; i < 5; ++i) do_first_step();
  } catch (const Error&) {
  }
  std::_Exit(40 + passed);
}

TEST(Fault, TheEnvironmentArmsAPoint) {
  EXPECT_EQ(run_with("test.job.first"), 40);
  EXPECT_EQ(run_with("test.job.first:3"), 42);
}

TEST(Fault, AnUnknownNameInTheEnvironmentArmsNothing) {
  EXPECT_EQ(run_with("no.such.point"), 45);
  EXPECT_EQ(run_with("test.job.first:x"), 45);
}

}  // namespace
}  // namespace moult::internal
