// Variables by their names, and what becomes of a function's own when the function changes.
#include "moult/variable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <typeinfo>

#include "apply_update.hpp"
#include "base/untracked_change.hpp"
#include "moult/error.hpp"
#include "moult/relinking.hpp"
#include "moult/updates.hpp"

static int tickets_served = 3;
static const int tickets_of_a_roll = 500;

namespace tickets {
namespace {

std::string issuer = "first";
std::atomic<int> limit = 10;
bool is_open = true;
struct Hours {
  int from;
  long to;
} hours = {8, 16};
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

/// Sets variables in apply. What it needs is found in prepare.
class Setting final : public moult::Update {
 public:
  Setting(
      std::string name, std::function<void()> set, std::function<void()> then = [] {})
      : Update(std::move(name)), set_(std::move(set)), then_(std::move(then)) {}
  void prepare() override {
    variable<int>("tickets_served");
    variable<std::string>("tickets::issuer");
    variable<std::atomic<int>>("tickets::limit");
    variable<bool>("tickets::is_open");
    variable<tickets::Hours>("tickets::hours");
  }
  bool check_alterability() override { return true; }
  void apply() override { set_(); }
  bool check_over() override {
    then_();
    return true;
  }

 private:
  std::function<void()> set_;
  std::function<void()> then_;
};

moult::UpdateReport set(
    const std::function<void()>& act, const std::function<void()>& then = [] {}) {
  return apply(std::make_unique<Setting>("set", act, then));
}

ErrorCode code_of_rollback(std::uint64_t id) {
  try {
    moult::roll_back(id);
  } catch (const moult::Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(SetVariable, IsAChangeOfTheUpdateAndUndoneWithIt) {
  const moult::UpdateReport report = set([] {
    moult::set_variable(tickets_served, 5);
    moult::set_variable(tickets::issuer, "a second one, too long to be kept in the string itself");
    moult::set_variable(tickets::limit, 20);
    moult::set_variable(tickets::is_open, false);
    moult::set_variable(tickets::hours.to, 18);
  });
  ASSERT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  EXPECT_THAT(report.changes,
              testing::ElementsAre("tickets_served set to 5, it was 3",
                                   "tickets::issuer set to \"a second one, too long to be kept in the string itself\", "
                                   "it was \"first\"",
                                   "tickets::limit set to 20, it was 10", "tickets::is_open set to false, it was true",
                                   "tickets::hours (8 bytes, 8 bytes from its beginning) set to 18, it was 16"));
  EXPECT_EQ(tickets_served, 5);
  EXPECT_EQ(tickets::issuer, "a second one, too long to be kept in the string itself");
  EXPECT_EQ(tickets::limit, 20);
  EXPECT_FALSE(tickets::is_open);
  EXPECT_EQ(tickets::hours.to, 18);
  moult::roll_back(report.id);
  EXPECT_EQ(tickets_served, 3);
  EXPECT_EQ(tickets::issuer, "first");
  EXPECT_EQ(tickets::limit, 10);
  EXPECT_TRUE(tickets::is_open);
  EXPECT_EQ(tickets::hours.to, 16);
}

TEST(SetVariable, IsUndoneWhenTheUpdateFails) {
  const moult::UpdateReport in_the_stop = set([] {
    moult::set_variable(tickets_served, 5);
    moult::set_variable(tickets_served, 6);
    throw moult::Error(ErrorCode::unsupported, "no more");
  });
  EXPECT_EQ(in_the_stop.state, moult::UpdateState::failed);
  EXPECT_THAT(in_the_stop.changes, testing::IsEmpty());
  EXPECT_EQ(tickets_served, 3);
  const moult::UpdateReport after_it = set([] { moult::set_variable(tickets::issuer, "second"); },
                                           [] { throw moult::Error(ErrorCode::internal, "late"); });
  EXPECT_EQ(after_it.state, moult::UpdateState::failed);
  EXPECT_EQ(tickets::issuer, "first");
}

TEST(SetVariable, IsNotRolledBackOverWhatTheProgramHasWrittenSince) {
  const moult::UpdateReport report = set([] {
    moult::set_variable(tickets_served, 5);
    moult::set_variable(tickets::is_open, false);
  });
  ++tickets_served;
  EXPECT_EQ(code_of_rollback(report.id), ErrorCode::unsupported);
  EXPECT_EQ(tickets_served, 6);
  EXPECT_FALSE(tickets::is_open) << "half of it was rolled back";
  --tickets_served;
  moult::roll_back(report.id);
  EXPECT_EQ(tickets_served, 3);
  EXPECT_TRUE(tickets::is_open);
}

TEST(SetVariable, OfTwoUpdatesTheLaterIsRolledBackFirst) {
  const moult::UpdateReport first = set([] { moult::set_variable(tickets_served, 5); });
  const moult::UpdateReport second = set([] {
    moult::set_variable(tickets_served, 4);
    moult::set_variable(tickets_served, 5);
  });
  EXPECT_EQ(code_of_rollback(first.id), ErrorCode::unsupported);
  moult::roll_back(second.id);
  EXPECT_EQ(tickets_served, 5);
  moult::roll_back(first.id);
  EXPECT_EQ(tickets_served, 3);
}

TEST(SetVariable, OutsideOfAnUpdateIsAnUntrackedChangeThatADryRunOnlyNotes) {
  int& served = variable<int>("tickets_served");
  moult::internal::UntrackedChanges noted(moult::internal::UntrackedChanges::Mode::only_noted);
  {
    const moult::internal::UntrackedChanges::Scope scope(noted);
    moult::set_variable(served, 5);
  }
  EXPECT_EQ(tickets_served, 3);
  EXPECT_THAT(noted.lines(), testing::ElementsAre("tickets_served set to 5"));
  moult::set_variable(served, 5);
  EXPECT_EQ(tickets_served, 5);
}

/// Makes the text of a variable that another thread writes to all the time.
class WatchfulExchange final : public moult::detail::ValueExchange {
 public:
  WatchfulExchange(const std::atomic<long>& written, bool& was_still) : written_(written), was_still_(was_still) {}
  void exchange() noexcept override {}
  bool is_as_set() const override { return true; }
  std::string text() const override {
    const long before = written_;
    for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
    was_still_ = written_ == before;
    return {};
  }

 private:
  const std::atomic<long>& written_;
  bool& was_still_;
};

TEST(SetVariable, TheOldValueIsReadWhileNoThreadCanWriteIt) {
  int& served = variable<int>("tickets_served");
  std::atomic<long> written = 0;
  const std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) ++written;
  });
  while (written == 0) std::this_thread::yield();
  bool was_still = false;
  moult::detail::set_variable(&served, typeid(int), sizeof(int), std::make_shared<WatchfulExchange>(written, was_still),
                              "3");
  EXPECT_TRUE(was_still) << "a thread that assigns to a string frees what is being read";
}

TEST(SetVariable, ThatMoultHasNotFoundIsRefused) {
  static int unknown = 1;
  const moult::UpdateReport report = set([] { moult::set_variable(unknown, 2); });
  EXPECT_EQ(report.state, moult::UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::invalid_argument);
  EXPECT_THAT(report.reason, HasSubstr("find it in prepare, with moult::variable<int>(\"its name\")"));
  EXPECT_EQ(unknown, 1);
}

TEST(SetVariable, OfAnotherTypeIsRefused) {
  auto* const wrong = static_cast<float*>(static_cast<void*>(&tickets_served));
  const moult::UpdateReport report = set([=] { moult::set_variable(*wrong, 2.0f); });
  EXPECT_EQ(report.code, ErrorCode::signature_mismatch);
  EXPECT_THAT(report.reason, HasSubstr("tickets_served: it is a int, and cannot be set as float"));
  EXPECT_EQ(tickets_served, 3);
}

TEST(SetVariable, AConstantIsRefusedBeforeItEndsTheProgram) {
  EXPECT_EQ(*const_cast<const volatile int*>(&tickets_of_a_roll), 500);
  int& constant = const_cast<int&>(variable<const int>("tickets_of_a_roll"));
  const moult::UpdateReport report = set([&] { moult::set_variable(constant, 2); });
  EXPECT_EQ(report.state, moult::UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::unsupported);
  EXPECT_THAT(report.reason, HasSubstr("memory that cannot be written"));
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
