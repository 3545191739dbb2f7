// New versions that throw, where the compiler has seen that the old ones do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "redefine.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using testing::AllOf;
using testing::HasSubstr;

int total = 0;

[[gnu::noinline]] int charge(int amount) {
  total += amount;
  return total;
}
[[gnu::noinline]] int passed_on(int amount) {
  total += amount;
  return total + 1;
}
[[gnu::noinline]] int passes_on(int amount) {
  total -= 1;
  return passed_on(amount);  // by a jump
}
MOULT_UPDATABLE int charge_marked(int amount) {
  total += amount;
  return total + 2;
}
[[gnu::noinline]] int charge_or_throw(int amount) {
  if (amount < 0) throw std::invalid_argument("negative");
  total += amount;
  return total + 3;
}
[[gnu::noinline]] int charge_alone(int amount) {
  total += amount;
  return total + 4;
}

/// The compiler drops what it thinks is never thrown to, but not the whole handler.
template <int (*function)(int)>
[[gnu::noinline]] std::string serve(int amount) {
  try {
    if (amount == 100) throw std::runtime_error("too much");
    return std::to_string(function(amount));
  } catch (const std::exception& error) {
    return std::string("refused: ") + error.what();
  }
}

MOULT_UPDATABLE int limited(int amount) {
  if (amount == 2) throw std::runtime_error("limit");
  return amount;
}
MOULT_UPDATABLE int careful(int amount) {
  try {
    return limited(amount);
  } catch (...) {
    return -1;
  }
}
MOULT_UPDATABLE int ends_instead(int amount) noexcept { return limited(amount); }

TEST(ThrowingVersion, IsRefusedWhereItsCallersWereCompiledForOneThatDoesNot) {
  EXPECT_EQ(serve<charge>(100), "refused: too much");
  const UpdateReport report = redefine(charge, limited);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, ErrorCode::unsupported_code);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("charge(int)"), HasSubstr("serve<"), HasSubstr("limited(int)"),
                                   HasSubstr("MOULT_UPDATABLE")));
}

TEST(ThrowingVersion, IsRefusedWhereACallerOfACallerIsLikeThat) {
  EXPECT_EQ(serve<passes_on>(100), "refused: too much");
  const UpdateReport report = redefine(passed_on, limited);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("serve<"));
}

[[gnu::noinline]] int charge_last(int amount) {
  total += amount;
  return total + 6;
}
[[gnu::noinline]] int ends_with_call(int amount) {
  try {
    if (amount == 100) throw std::runtime_error("too much");
    return charge_last(amount);  // by a jump, without the handler
  } catch (const std::exception&) {
    return -1;
  }
}

TEST(ThrowingVersion, IsRefusedWhereACallWithAHandlerBecameAJump) {
  EXPECT_EQ(ends_with_call(100), -1);
  const UpdateReport report = redefine(charge_last, limited);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("ends_with_call"));
}

TEST(ThrowingVersion, IsTakenIfItLetsNothingOut) {
  EXPECT_EQ(redefine(charge, careful).state, UpdateState::applied);
  EXPECT_EQ(serve<charge>(2), "-1");
}

TEST(ThrowingVersion, IsTakenIfItIsNoexcept) {
  EXPECT_EQ(redefine(charge, ends_instead).state, UpdateState::applied);
  EXPECT_EQ(serve<charge>(3), "3");
}

TEST(ThrowingVersion, OfAMarkedFunctionIsHandledByItsCallers) {
  EXPECT_EQ(serve<charge_marked>(100), "refused: too much");
  const UpdateReport report = redefine(charge_marked, limited);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(serve<charge_marked>(2), "refused: limit");
}

MOULT_UPDATABLE int charge_in_noexcept(int amount) {
  total += amount;
  return total + 7;
}
[[gnu::noinline]] int serves_noexcept(int amount) noexcept { return charge_in_noexcept(amount) + 1; }

TEST(ThrowingVersion, MayEndTheProgramWhereTheProgramItselfIsNoexcept) {
  const int sum = serves_noexcept(1);
  EXPECT_EQ(sum, total + 8);
  const UpdateReport report = redefine(charge_in_noexcept, limited);
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
}

TEST(ThrowingVersion, OfOneThatThrowsIsHandledByItsCallers) {
  EXPECT_EQ(serve<charge_or_throw>(-1), "refused: negative");
  const UpdateReport report = redefine(charge_or_throw, limited);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(serve<charge_or_throw>(2), "refused: limit");
}

[[gnu::noinline]] int calls_alone(int amount) {
  const int sum = charge_alone(amount);
  return sum + careful(1);  // which needs an aligned stack
}

TEST(ThrowingVersion, IsTakenWhereNobodyForbidsIt) {
  int (*volatile anybody)(int) = calls_alone;
  const int sum = anybody(1);
  EXPECT_EQ(sum, total + 5);
  const UpdateReport report = redefine(charge_alone, limited);
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
}

}  // namespace subject
}  // namespace moult
