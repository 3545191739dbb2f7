// This program has many megabytes of debug information: reading it in a stop would keep the program waiting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "apply_update.hpp"
#include "moult/alterability.hpp"
#include "moult/data_update.hpp"
#include "moult/error.hpp"
#include "moult/redirection.hpp"
#include "moult/stack.hpp"
#include "moult/variable.hpp"

namespace moult {
namespace subject {

using testing::Contains;
using testing::HasSubstr;

struct Counter {
  MOULT_UPDATABLE int value() const { return n; }
  int n;
};
struct CounterV2 {
  MOULT_UPDATABLE int value() const { return -n; }
  int n;
};
int counted = 7;
MOULT_UPDATABLE int one(int x) { return x + 1; }
MOULT_UPDATABLE int two(int x) { return x + 2; }

/// An update that calls one function in prepare, and one in the stopped program.
class Steps final : public Update {
 public:
  Steps(std::function<void()> in_prepare, std::function<void()> in_stop)
      : Update("steps"), in_prepare_(std::move(in_prepare)), in_stop_(std::move(in_stop)) {}
  void prepare() override { in_prepare_(); }
  bool wait_alterability() override { return true; }
  bool check_alterability() override { return true; }
  void apply() override { in_stop_(); }

 private:
  std::function<void()> in_prepare_;
  std::function<void()> in_stop_;
};

UpdateReport run(std::function<void()> in_prepare, std::function<void()> in_stop) {
  return test::apply(std::make_unique<Steps>(std::move(in_prepare), std::move(in_stop)));
}

/// Refused in the stop, with the next step.
void expect_refused(std::function<void()> in_stop, const char* next_step) {
  const UpdateReport report = run([] {}, std::move(in_stop));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::unsupported) << report.reason;
  EXPECT_THAT(report.reason, HasSubstr("MB of debug information"));
  EXPECT_THAT(report.reason, HasSubstr(next_step));
}

TEST(StoppedReading, AClassIsNotReadInAStop) {
  expect_refused([] { redefine_class<Counter, CounterV2>(); }, "moult::prepare_redefinition");
  EXPECT_EQ(Counter{3}.value(), 3);
}

TEST(StoppedReading, APreparedClassIsRedefinedInAStopAndRolledBack) {
  PreparedRedefinition change;
  const UpdateReport report = run([&] { change = prepare_redefinition<Counter, CounterV2>(); }, [&] { change.make(); });
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(Counter{3}.value(), -3);
  EXPECT_THAT(report.changes, Contains(HasSubstr("Counter::value() const redefined as")));
  roll_back(report.id);
  EXPECT_EQ(Counter{3}.value(), 3);
}

TEST(StoppedReading, PreparedFunctionsAreRedefinedInAStop) {
  PreparedRedefinition change;
  const UpdateReport report = run([&] { change = prepare_redefinition({{one, two}}); }, [&] { change.make(); });
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(one(0), 2);
}

TEST(StoppedReading, WhatIsNotPreparedOrMadeAlreadyIsRefused) {
  PreparedRedefinition change;
  EXPECT_EQ(run([] {}, [&] { change.make(); }).code, ErrorCode::invalid_argument);
  const auto twice = [&] {
    change.make();
    change.make();
  };
  EXPECT_EQ(run([&] { change = prepare_redefinition({{one, two}}); }, twice).code, ErrorCode::invalid_argument);
  EXPECT_EQ(one(0), 1);
}

TEST(StoppedReading, NothingIsLookedUpInAStop) {
  expect_refused([] { static_cast<void>(function<int(int)>("moult::subject::one")); }, "call it in prepare");
  expect_refused([] { static_cast<void>(variable<int>("moult::subject::counted")); }, "call it in prepare");
  expect_refused([] { static_cast<void>(is_class_in_any_stack<Counter>()); }, "check_alterability");
  expect_refused([] { LocalVariable<int>(one, "x"); }, "moult::LocalVariable in prepare");
  expect_refused([] { static_cast<void>(redirect_pointer<int (*)(int)>(one, two)); }, "moult::Pointers in prepare");
}

}  // namespace subject
}  // namespace moult
