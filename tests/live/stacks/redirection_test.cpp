// Pointers of the test's own program, redirected by updates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "apply_update.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "moult/manager.hpp"
#include "moult/redirection.hpp"
#include "standing.hpp"

namespace app {

using moult::ErrorCode;
using moult::UpdateState;
using moult::test::apply;
using moult::test::StepUpdate;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Settings {
  int level = 1;
};

[[gnu::noinline]] int twice(int number) { return 2 * number; }
[[gnu::noinline]] int in_no_case(int number) noexcept { return number; }
[[gnu::noinline]] int thrice(int number) { return 3 * number; }
[[gnu::noinline]] int twice_as_well(int number) { return 2 * number + 0 * twice(number); }

using Handler = int (*)(int);

struct Machine {
  int counts(int number) { return number + base; }
  int counts_down(int number) { return base - number; }
  int base = 10;
  Handler handler = nullptr;
  int (Machine::*method)(int) = &Machine::counts;
};

Handler handler = nullptr;
Handler handlers[3] = {};
std::map<std::string, std::unique_ptr<Machine>> machines;
Settings first_settings{1};
Settings second_settings{2};
Settings* settings = nullptr;
const Settings* settings_seen = nullptr;
struct Holder {
  std::vector<Settings*> all;
} holder;
void* forgotten = nullptr;

class Redirection : public testing::Test {
 protected:
  Redirection() {
    handler = twice;
    handlers[0] = handlers[2] = twice;
    handlers[1] = twice_as_well;
    machines["one"] = std::make_unique<Machine>();
    machines["one"]->handler = twice;
    settings = &first_settings;
    settings_seen = &first_settings;
    holder.all = {&second_settings, &first_settings};
    forgotten = &first_settings;
  }
  ~Redirection() override { machines.clear(); }
};

/// An update that redirects the handlers, and then calls `rest`.
std::unique_ptr<moult::Update> redirection(std::function<void(const moult::RedirectedPointers&)> rest = {}) {
  const auto pointers = std::make_shared<std::optional<moult::Pointers<Handler>>>();
  return std::make_unique<StepUpdate>(
      "handlers",
      [pointers, rest = std::move(rest)] {
        const moult::RedirectedPointers redirected = (*pointers)->redirect(&twice, &thrice);
        if (rest) rest(redirected);
      },
      [pointers] { pointers->emplace(); });
}

TEST_F(Redirection, EveryPointerToAFunctionIsSet) {
  moult::RedirectedPointers redirected;
  EXPECT_EQ(apply(redirection([&](const moult::RedirectedPointers& all) { redirected = all; })).state,
            UpdateState::applied);
  EXPECT_EQ(redirected.count, 4u);
  EXPECT_THAT(redirected.where, UnorderedElementsAre("app::handler", "app::handlers[0]", "app::handlers[2]",
                                                     HasSubstr("app::machines[0]")));
  EXPECT_EQ(handler(5), 15);
  EXPECT_EQ(handlers[1](5), 10) << "another target";
  EXPECT_EQ(machines["one"]->handler(5), 15);
}

/// Looks for the pointers before, and redirects them in the stop.
class PreparedUpdate final : public moult::Update {
 public:
  PreparedUpdate() : Update("handlers") {}
  void prepare() override { pointers_.emplace(); }
  bool check_alterability() override { return true; }
  void apply() override {
    const moult::internal::ArmedFault debug_information("heap.pointers.prepare");
    redirected = pointers_->redirect(&twice, &thrice).count;
  }
  static inline std::size_t redirected = 0;

 private:
  std::optional<moult::Pointers<Handler>> pointers_;
};

TEST_F(Redirection, WhatWasLookedForBeforeReadsNoDebugInformationInTheStop) {
  const moult::UpdateReport report = apply(std::make_unique<PreparedUpdate>());
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(PreparedUpdate::redirected, 4u);
  EXPECT_EQ(handler(5), 15);
  moult::roll_back(report.id);
  EXPECT_EQ(handler, &twice);
}

TEST_F(Redirection, WhatWasLookedForOnceIsRedirectedAnyNumberOfTimes) {
  const moult::Pointers<Handler> pointers;
  EXPECT_EQ(pointers.redirect(&twice, &thrice).count, 4u);
  handlers[1] = thrice;
  EXPECT_EQ(pointers.redirect(&thrice, &twice_as_well).count, 5u);
  EXPECT_EQ(handler, &twice_as_well);
}

TEST_F(Redirection, AFunctionThatThrowsNothingIsOneLikeAnyOther) {
  handler = in_no_case;
  EXPECT_EQ(moult::redirect_pointer(&in_no_case, &in_no_case).count, 1u);
}

TEST_F(Redirection, PointersToObjectsAreSetThoseToConstToo) {
  const moult::RedirectedPointers redirected = moult::redirect_pointer(&first_settings, &second_settings);
  EXPECT_THAT(redirected.where, UnorderedElementsAre("app::settings", "app::settings_seen", "app::holder.all[1]"));
  EXPECT_EQ(settings->level, 2);
  EXPECT_EQ(settings_seen->level, 2);
  EXPECT_EQ(forgotten, &first_settings) << "what a void pointer points to nobody knows";
  EXPECT_THAT(redirected.not_followed, testing::Contains(testing::Field(&moult::HeapRemark::what, "void pointers")));
}

TEST_F(Redirection, PointersToMemberFunctionsAreSet) {
  const moult::RedirectedPointers redirected = moult::redirect_pointer(&Machine::counts, &Machine::counts_down);
  EXPECT_EQ(redirected.count, 1u);
  Machine& machine = *machines["one"];
  EXPECT_EQ((machine.*machine.method)(3), 7);
}

TEST_F(Redirection, AnUpdateThatFailsLaterLeavesThemAsTheyWere) {
  const moult::UpdateReport report =
      apply(redirection([](const moult::RedirectedPointers&) { throw std::runtime_error("not today"); }));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(handler, &twice);
  EXPECT_EQ(machines["one"]->handler, &twice);
}

TEST_F(Redirection, AnErrorAtAnyStepLeavesThemAsTheyWere) {
  for (const char* point : {"heap.pointers.prepare", "heap.pointers.record"}) {
    const moult::internal::ArmedFault armed(point);
    const moult::UpdateReport report = apply(redirection());
    EXPECT_TRUE(armed.fired()) << point;
    EXPECT_NE(report.state, UpdateState::applied) << point;
    EXPECT_EQ(handler, &twice) << point;
  }
}

TEST_F(Redirection, ARollbackSetsThemBack) {
  const moult::UpdateReport report = apply(redirection());
  EXPECT_THAT(report.changes, testing::ElementsAre(HasSubstr("4 pointers of type int (*)(int) redirected: ")));
  moult::roll_back(report.id);
  EXPECT_EQ(handler, &twice);
  EXPECT_EQ(machines["one"]->handler, &twice);
}

void expect_rollback_refused(std::uint64_t id, const std::string& words) {
  try {
    moult::roll_back(id);
    ADD_FAILURE() << "was not refused";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

TEST_F(Redirection, ARollbackIsRefusedWhereOneWasChangedSinceAndSetsNoneBack) {
  const moult::UpdateReport report = apply(redirection());
  handlers[2] = twice_as_well;
  expect_rollback_refused(report.id, "app::handlers[2] was given another value since it was redirected");
  EXPECT_EQ(handler, &thrice);
}

TEST_F(Redirection, ARollbackIsRefusedWhereOneIsGone) {
  const moult::UpdateReport report = apply(redirection());
  machines.clear();
  expect_rollback_refused(report.id, "is not found any more since it was redirected");
  EXPECT_EQ(handler, &thrice);
}

}  // namespace app
