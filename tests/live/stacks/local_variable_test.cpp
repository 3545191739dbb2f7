// Variables of calls in progress, changed by updates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "apply_update.hpp"
#include "base/fault.hpp"
#include "moult/error.hpp"
#include "moult/stack.hpp"
#include "moult/updates.hpp"
#include "standing.hpp"

namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using moult::ErrorCode;
using moult::UpdateState;
using moult::test::apply;
using moult::test::Stand;
using moult::test::Standing;
using moult::test::StepUpdate;
using testing::HasSubstr;

/// Sums what its calls have in `share`, the innermost one's after it has stood.
MOULT_UPDATABLE int collect(int depth, const Stand& stand) {
  volatile int share = depth;
  int rest = 0;
  if (depth > 1)
    rest = collect(depth - 1, stand);
  else
    stand();
  return share + rest;
}

/// Another function of another thread, with a variable of the same name.
MOULT_UPDATABLE int other(const Stand& stand) {
  volatile int share = 1000;
  stand();
  return share;
}

std::vector<std::string> shares(moult::ThreadId thread) {
  std::vector<std::string> values;
  for (const moult::StackFrame& frame : moult::read_stack(thread, std::chrono::seconds(10)))
    for (const moult::StackVariable& variable : frame.variables)
      if (variable.name == "share") values.push_back(variable.value);
  return values;
}

TEST(LocalVariables, AnUpdateChangesSixRecursiveCallsInEveryThreadAndNoOtherFunction) {
  int first = 0;
  int second = 0;
  int apart = 0;
  Standing one([&](const Stand& stand) { first = collect(6, stand); });
  Standing two([&](const Stand& stand) { second = collect(6, stand); });
  Standing three([&](const Stand& stand) { apart = other(stand); });
  const moult::LocalVariable<int> share(collect, "share");
  std::size_t count = 0;
  EXPECT_EQ(apply(std::make_unique<StepUpdate>("share", [&] { count = share.set(7); })).state, UpdateState::applied);
  EXPECT_EQ(count, 12u);
  for (Standing* each : {&one, &two, &three}) each->let_go();
  EXPECT_EQ(first, 42);
  EXPECT_EQ(second, 42);
  EXPECT_EQ(apart, 1000);
}

/// An update that sets the share in every call of collect to 7, and then calls `rest`.
std::unique_ptr<moult::Update> sevens(std::function<void()> rest = {}) {
  const auto share = std::make_shared<std::optional<moult::LocalVariable<int>>>();
  return std::make_unique<StepUpdate>(
      "share",
      [share, rest = std::move(rest)] {
        (*share)->set(7);
        if (rest) rest();
      },
      [share] { share->emplace(collect, "share"); });
}

TEST(LocalVariables, AnUpdateThatFailsLaterLeavesThemAsTheyWere) {
  Standing standing([](const Stand& stand) { collect(6, stand); });
  const moult::UpdateReport report = apply(sevens([] { throw std::runtime_error("not today"); }));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(shares(standing.id()), testing::ElementsAre("1", "2", "3", "4", "5", "6"));
}

TEST(LocalVariables, AnErrorAtAnyStepLeavesThemAsTheyWere) {
  Standing standing([](const Stand& stand) { collect(2, stand); });
  for (const char* point : {"stacks.local.prepare", "stacks.local.record"}) {
    const moult::internal::ArmedFault armed(point);
    const moult::UpdateReport report = apply(sevens());
    EXPECT_TRUE(armed.fired()) << point;
    EXPECT_NE(report.state, UpdateState::applied) << point;
    EXPECT_THAT(shares(standing.id()), testing::ElementsAre("1", "2")) << point;
  }
}

TEST(LocalVariables, ARollbackIsRefused) {
  Standing standing([](const Stand& stand) { collect(2, stand); });
  const moult::UpdateReport report = apply(sevens());
  try {
    moult::roll_back(report.id);
    ADD_FAILURE() << "was not refused";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("cannot be undone once the program has gone on"));
  }
  EXPECT_THAT(shares(standing.id()), testing::ElementsAre("7", "7"));
}

TEST(LocalVariables, OneThreadIsChangedAlone) {
  Standing one([](const Stand& stand) { collect(2, stand); });
  Standing two([](const Stand& stand) { collect(2, stand); });
  EXPECT_EQ(moult::update_local_var(collect, "share", 9, {.threads = {two.id()}, .timeout = std::chrono::seconds(10)}),
            2u);
  EXPECT_THAT(shares(one.id()), testing::ElementsAre("1", "2"));
  EXPECT_THAT(shares(two.id()), testing::ElementsAre("9", "9"));
}

TEST(LocalVariables, TheThreadThatMakesTheChangeIsOneOfThem) {
  std::size_t count = 0;
  EXPECT_EQ(collect(3, [&] { count = moult::update_local_var(collect, "share", 5); }), 15);
  EXPECT_EQ(count, 3u);
}

}  // namespace subject
