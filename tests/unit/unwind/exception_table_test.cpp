// Compares the reading of exception tables with functions as the compiler makes them.
#include "unwind/exception_table.hpp"

#include <cxxabi.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace moult::internal {
namespace {

/// A call that may throw as far as the compiler knows, and what the table says about its place.
CallHandling seen;

[[gnu::noinline]] void look(bool throws) {
  const CodeAddress call{reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) - 1};
  seen = handling_of_call(*frame_handling_at(call), call);
  if (throws) throw std::runtime_error("thrown");
}

volatile int ended = 0;
struct Guard {
  [[gnu::noinline]] ~Guard() { ended = ended + 1; }
};

// The calls are not the last thing in their functions, which would make a jump of them.
[[gnu::noinline]] void plain(bool throws) {
  look(throws);
  ended = 0;
}
[[gnu::noinline]] void with_guard(bool throws) {
  const Guard guard;
  look(throws);
}
[[gnu::noinline]] void with_catch_all(bool throws) {
  try {
    look(throws);
  } catch (...) {
    ended = 2;
  }
}
[[gnu::noinline]] void with_catch(bool throws) {
  try {
    look(throws);
  } catch (const std::runtime_error&) {
    ended = 3;
  }
}
[[gnu::noinline]] void with_forced_unwind(bool throws) {
  try {
    look(throws);
  } catch (const abi::__forced_unwind&) {
    throw;
  }
  ended = 0;
}
[[gnu::noinline]] void with_both(bool throws) {
  const Guard guard;
  try {
    look(throws);
  } catch (const std::runtime_error&) {
    ended = 3;
  } catch (...) {
    ended = 4;
  }
}
[[gnu::noinline]] void with_call_outside_of_try(bool throws) {
  const Guard guard;
  try {
    look(throws);
  } catch (...) {
    ended = 5;
  }
  look(throws);
}
[[gnu::noinline]] void forbidding(bool throws) noexcept {
  look(throws);
  ended = 0;
}

TEST(ExceptionTable, AFunctionWithNothingToDoPasses) {
  plain(false);
  EXPECT_EQ(seen.site, CallSite::passes);
  EXPECT_EQ(value(seen.landing_pad), 0u);
}

TEST(ExceptionTable, ADestructorIsACleanup) {
  with_guard(false);
  EXPECT_EQ(seen.site, CallSite::cleans_up);
  EXPECT_NE(value(seen.landing_pad), 0u);
}

TEST(ExceptionTable, AHandlerForEverythingHandles) {
  with_catch_all(false);
  EXPECT_EQ(seen.site, CallSite::handles);
  EXPECT_NE(value(seen.landing_pad), 0u);
}

TEST(ExceptionTable, AHandlerForSomeTypeDoesNotTakeAForcedUnwinding) {
  with_catch(false);
  EXPECT_EQ(seen.site, CallSite::passes);
}

TEST(ExceptionTable, AHandlerForForcedUnwindingsHandles) {
  with_forced_unwind(false);
  EXPECT_EQ(seen.site, CallSite::handles);
}

TEST(ExceptionTable, OfSeveralHandlersTheOneForEverythingHandles) {
  with_both(false);
  EXPECT_EQ(seen.site, CallSite::handles);
}

TEST(ExceptionTable, ACallBehindATryBlockHasAnEntryOfItsOwn) {
  with_call_outside_of_try(false);
  EXPECT_EQ(seen.site, CallSite::cleans_up);
}

/// g++ leaves the call out of the table. clang has a handler for every exception there, which ends the process.
TEST(ExceptionTable, ANoexceptFunctionDoesNotLetItPass) {
  forbidding(false);
  EXPECT_TRUE(seen.site == CallSite::unmentioned || seen.site == CallSite::handles);
}

TEST(ExceptionTable, TheAnswerIsWhatExceptionsDo) {
  ended = 0;
  with_catch_all(true);
  EXPECT_EQ(ended, 2);
  with_both(true);
  EXPECT_EQ(ended, 4);
  EXPECT_THROW(plain(true), std::runtime_error);
  EXPECT_THROW(with_forced_unwind(true), std::runtime_error);
}

TEST(ExceptionTable, CodeWithoutUnwindInformationHasNoTable) {
  int on_the_stack = 0;
  EXPECT_FALSE(frame_handling_at(CodeAddress{reinterpret_cast<std::uintptr_t>(&on_the_stack)}));
}

}  // namespace
}  // namespace moult::internal
