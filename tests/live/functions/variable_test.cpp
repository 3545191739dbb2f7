// Variables by their names, and what becomes of a function's own when the function changes.
#include "moult/variable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "apply_update.hpp"
#include "moult/error.hpp"
#include "moult/relinking.hpp"
#include "moult/updates.hpp"

static int tickets_served = 3;

namespace tickets {
namespace {

std::string issuer = "first";
thread_local int of_this_thread = 1;

}  // namespace

struct Office {
  static long opened;
};
long Office::opened = 7;

MOULT_UPDATABLE int ticket() {
  static int next = 100;
  return next++;
}
MOULT_UPDATABLE int ticket_with_its_own() {
  static int next = 500;
  return next++;
}
MOULT_UPDATABLE int ticket_with_the_old() {
  static int& next = moult::variable<int>("tickets::ticket()::next");
  return next++;
}
MOULT_UPDATABLE int other_ticket(int by) {
  static int other = 1;
  return other += by;
}

}  // namespace tickets

namespace {

using moult::ErrorCode;
using moult::variable;
using moult::test::apply;
using testing::AllOf;
using testing::HasSubstr;

template <class T>
void expect_error(ErrorCode code, const std::string& name, const testing::Matcher<std::string>& words) {
  try {
    variable<T>(name);
    FAIL() << name << " was found";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), words);
  }
}

TEST(Variable, OfAFileOfAnUnnamedNamespaceAndOfAClassIsFound) {
  EXPECT_EQ(&variable<int>("tickets_served"), &tickets_served);
  EXPECT_EQ(&variable<int>("variable_test.cpp:tickets_served"), &tickets_served);
  EXPECT_EQ(&variable<std::string>("tickets::issuer"), &tickets::issuer);
  EXPECT_EQ(&variable<std::string>("tickets::(anonymous namespace)::issuer"), &tickets::issuer);
  EXPECT_EQ(&variable<const long>("tickets::Office::opened"), &tickets::Office::opened);
}

TEST(Variable, OfAFunctionIsFoundWithAnyParameters) {
  const int given = tickets::ticket();
  EXPECT_EQ(variable<int>("tickets::ticket()::next"), given + 1);
  EXPECT_EQ(variable<int>("tickets::other_ticket(int)::other"), tickets::other_ticket(0));
}

TEST(Variable, AnotherTypeIsRefused) {
  expect_error<long>(
      ErrorCode::signature_mismatch, "tickets_served",
      AllOf(HasSubstr("int tickets_served in "), HasSubstr("has 4 bytes, and was asked for as long of 8")));
  expect_error<unsigned>(ErrorCode::signature_mismatch, "tickets_served", HasSubstr("ask for it by its own type"));
}

TEST(Variable, AnUnknownNameIsRefusedWithThoseOfTheSameLastName) {
  expect_error<int>(ErrorCode::not_found, "tickets::tickets_served", HasSubstr("there are int tickets_served in "));
  expect_error<int>(ErrorCode::not_found, "tickets::nowhere", HasSubstr("no variable of that name has a place"));
  expect_error<int>(ErrorCode::not_found, "other.cpp:tickets_served", HasSubstr("there are int tickets_served in "));
}

TEST(Variable, OneOfEachThreadIsRefused) {
  EXPECT_EQ(tickets::of_this_thread, 1);
  expect_error<int>(ErrorCode::unsupported, "tickets::of_this_thread", HasSubstr("thread_local"));
}

TEST(Variable, AStaticVariableOfTheNewVersionIsWarnedOf) {
  const int before = tickets::ticket();
  const moult::UpdateReport report =
      apply(std::make_unique<moult::SafeRedefineUpdate>("own", tickets::ticket, tickets::ticket_with_its_own));
  ASSERT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  EXPECT_EQ(tickets::ticket(), 500);
  EXPECT_THAT(
      report.warnings,
      testing::Contains(AllOf(HasSubstr("tickets::ticket(): the new version has a static variable next of its own"),
                              HasSubstr("moult::variable<...>(\"tickets::ticket()::next\")"))));
  EXPECT_EQ(variable<int>("tickets::ticket()::next"), before + 1);
}

TEST(Variable, TheNewVersionGoesOnWithTheOldValue) {
  const int before = tickets::ticket();
  const moult::UpdateReport report =
      apply(std::make_unique<moult::SafeRedefineUpdate>("old", tickets::ticket, tickets::ticket_with_the_old));
  ASSERT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  EXPECT_EQ(tickets::ticket(), before + 1);
}

}  // namespace
