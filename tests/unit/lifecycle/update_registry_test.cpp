// Managers by name, updates by id, and taking an applied update back.
#include "lifecycle/update_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <latch>
#include <thread>

#include "fake_program.hpp"
#include "lifecycle/submission.hpp"

namespace moult::internal::test {
namespace {

using internal::UpdateRegistry;
using testing::Contains;
using testing::IsEmpty;

ErrorCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::internal;
}

UpdateReport apply_one(const std::string& name, const std::shared_ptr<Script>& script = std::make_shared<Script>()) {
  AnyKind manager(Kind::inline_manager);
  return manager.carry_out(scripted(script, name));
}

class RollBack : public testing::Test {
 protected:
  void SetUp() override { program.reset(); }
  void TearDown() override {
    EXPECT_EQ(program.stopped_now, 0);
    EXPECT_FALSE(program.overlapping);
    EXPECT_FALSE(program.lock_held);
  }
};

TEST(Managers, AreFoundByNameFromConstructionToDestruction) {
  EXPECT_EQ(fetch_manager("fetched"), nullptr);
  {
    Manager manager("fetched");
    EXPECT_EQ(fetch_manager("fetched"), &manager);
    EXPECT_THAT(internal::update_registry().manager_names(), Contains("fetched"));
  }
  EXPECT_EQ(fetch_manager("fetched"), nullptr);
}

TEST(Managers, CannotShareAName) {
  Manager manager("taken");
  EXPECT_EQ(code_of([] { Manager again("taken"); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { ThreadedManager again("taken"); }), ErrorCode::invalid_argument);
  EXPECT_EQ(fetch_manager("taken"), &manager);
}

TEST(Managers, WithAThreadAreMadeAtTheFirstRequestAndStay) {
  EXPECT_EQ(fetch_manager("made when asked for"), nullptr);
  ThreadedManager& made = threaded_manager("made when asked for");
  EXPECT_EQ(made.name(), "made when asked for");
  EXPECT_EQ(&threaded_manager("made when asked for"), &made);
  EXPECT_EQ(fetch_manager("made when asked for"), &made);
}

TEST(Managers, OfTheProgramAreFoundRatherThanMade) {
  ThreadedManager threaded("of the program");
  EXPECT_EQ(&threaded_manager("of the program"), &threaded);
  Manager manager("inline, of the program");
  EXPECT_EQ(code_of([] { threaded_manager("inline, of the program"); }), ErrorCode::invalid_argument);
}

TEST(Managers, AreMadeOnceHoweverManyThreadsAsk) {
  std::latch all_there(8);
  std::array<ThreadedManager*, 8> found{};
  {
    std::vector<std::jthread> threads;
    for (ThreadedManager*& each : found)
      threads.emplace_back([&] {
        all_there.arrive_and_wait();
        each = &threaded_manager("asked for by many");
      });
  }
  for (ThreadedManager* const each : found) EXPECT_EQ(each, found[0]);
}

TEST(Managers, HaveNamesThatCanBeShownAndTyped) {
  EXPECT_EQ(code_of([] { Manager nameless(""); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { Manager shouting("\033[31mred"); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { threaded_manager("two\nlines"); }), ErrorCode::invalid_argument);
}

TEST(Updates, HaveNamesThatCanBeShownAndTyped) {
  EXPECT_EQ(code_of([] { scripted(std::make_shared<Script>(), ""); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { scripted(std::make_shared<Script>(), "\033[2J"); }), ErrorCode::invalid_argument);
}

TEST(Managers, AreFoundWhileOthersComeAndGo) {
  Manager manager("steady");
  std::jthread coming_and_going([] {
    for (int i = 0; i < 300; ++i) ThreadedManager brief("brief");
  });
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(fetch_manager("steady"), &manager);
    fetch_manager("brief");
  }
}

TEST_F(RollBack, UndoesAnUpdateInOneStop) {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  UpdateReport applied = apply_one("to go", script);
  Listening listening;
  roll_back(applied.id);
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(program.stops, 2);
  EXPECT_FALSE(is_applied("to go"));
  UpdateReport report = *internal::update_registry().report(applied.id);
  EXPECT_EQ(report.state, UpdateState::rolled_back);
  EXPECT_THAT(report.changes, IsEmpty());
  EXPECT_THAT(listening.lines(), Contains("to go rolled back"));
  EXPECT_EQ(script->count("destroyed"), 1);
}

TEST_F(RollBack, UndoesTheNewestOfAName) {
  UpdateReport first = apply_one("twice");
  UpdateReport second = apply_one("twice");
  roll_back("twice");
  EXPECT_EQ(internal::update_registry().report(second.id)->state, UpdateState::rolled_back);
  EXPECT_EQ(internal::update_registry().report(first.id)->state, UpdateState::applied);
  EXPECT_TRUE(is_applied("twice"));
  roll_back("twice");
  EXPECT_FALSE(is_applied("twice"));
  EXPECT_EQ(code_of([] { roll_back("twice"); }), ErrorCode::not_found);
}

TEST_F(RollBack, KnowsOnlyAppliedUpdates) {
  EXPECT_EQ(code_of([] { roll_back("no such update"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([] { roll_back(std::uint64_t{123456789}); }), ErrorCode::not_found);
}

TEST_F(RollBack, RetriesWhileCodeThatWouldGoAwayIsActive) {
  std::shared_ptr<std::atomic<int>> refusals = std::make_shared<std::atomic<int>>(2);
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->at("apply", [refusals] {
    set_version(3, [refusals] {
      if ((*refusals)-- > 0) throw Error(ErrorCode::still_active, "version 3 is active");
    });
  });
  apply_one("active for a while", script);
  roll_back("active for a while");
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(program.stops, 1 + 3);
}

TEST_F(RollBack, ChangesNothingWhenTheCodeStaysActive) {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->at("apply", [] { set_version(3, [] { throw Error(ErrorCode::still_active, "version 3 is active"); }); });
  apply_one("always active", script);
  EXPECT_EQ(code_of([] { roll_back("always active", std::chrono::milliseconds(5)); }), ErrorCode::still_active);
  EXPECT_EQ(program.version, 3);
  EXPECT_TRUE(is_applied("always active"));
}

TEST_F(RollBack, PassesOnOtherExceptionsAndChangesNothing) {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->at("apply", [] { set_version(3, [] { throw Error(ErrorCode::unsupported, "for ever"); }); });
  apply_one("for ever", script);
  EXPECT_EQ(code_of([] { roll_back("for ever"); }), ErrorCode::unsupported);
  EXPECT_EQ(program.version, 3);
}

TEST_F(RollBack, RetriesAStopThatFailed) {
  apply_one("hard to stop");
  program.failing_stops = 2;
  roll_back("hard to stop");
  EXPECT_EQ(program.version, 1);
}

TEST_F(RollBack, NamesTheThreadThatCouldNotBeStopped) {
  apply_one("impossible to stop");
  program.failing_stops = 1'000'000;
  EXPECT_EQ(code_of([] { roll_back("impossible to stop", std::chrono::milliseconds(3)); }),
            ErrorCode::thread_unstoppable);
  EXPECT_TRUE(is_applied("impossible to stop"));
}

TEST_F(RollBack, IsHonestAboutAnUpdateThatRecordedNothing) {
  class Silent final : public Update {
   public:
    Silent() : Update("silent") {}
    bool check_alterability() override { return true; }
    void apply() override {}
  };
  AnyKind(Kind::inline_manager).carry_out(std::make_unique<Silent>());
  EXPECT_TRUE(is_applied("silent"));
  EXPECT_EQ(code_of([] { roll_back("silent"); }), ErrorCode::unsupported);
  EXPECT_TRUE(is_applied("silent"));
}

TEST_F(RollBack, IsRefusedFromAStepOfAnUpdate) {
  apply_one("base");
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->at("apply", [] { roll_back("base"); });
  EXPECT_EQ(apply_one("from within", script).code, ErrorCode::invalid_argument);
  EXPECT_TRUE(is_applied("base"));
}

TEST_F(RollBack, WaitsForTheChangeThatIsBeingMadeAndTimesOut) {
  apply_one("waits");
  std::latch in_setup(1);
  std::latch go_on(1);
  std::shared_ptr<Script> slow = std::make_shared<Script>();
  slow->at("preupdate_setup", [&] {
    in_setup.count_down();
    go_on.wait();
  });
  ThreadedManager other("other");
  other.add_update(scripted(slow, "slow"));
  in_setup.wait();
  EXPECT_EQ(code_of([] { roll_back("waits", std::chrono::milliseconds(2)); }), ErrorCode::timed_out);
  go_on.count_down();
  EXPECT_TRUE(other.wait_current_update(std::chrono::minutes(1)));
  roll_back("waits");
  EXPECT_FALSE(is_applied("waits"));
}

TEST_F(RollBack, GoesBesideUpdatesBeingApplied) {
  ThreadedManager main("main");
  std::jthread applying([&] {
    for (int i = 0; i < 200; ++i) main.add_update(scripted(std::make_shared<Script>(), "busy"));
  });
  for (int i = 0; i < 50; ++i) {
    std::string name = "mine " + std::to_string(i);
    UpdateHandle handle = main.add_update(scripted(std::make_shared<Script>(), name));
    ASSERT_EQ(handle.wait(std::chrono::minutes(1)).state, UpdateState::applied);
    roll_back(handle.id(), std::chrono::minutes(1));
    ASSERT_EQ(handle.report().state, UpdateState::rolled_back);
  }
}

TEST_F(RollBack, WithdrawsAnUpdateThatWaitsForItsTurn) {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  Manager main("main");
  UpdateHandle handle = main.add_update(scripted(script, "waiting"));
  Listening listening;
  roll_back(handle.id());
  UpdateReport report = handle.wait(std::chrono::minutes(1));
  EXPECT_EQ(report.state, UpdateState::aborted);
  EXPECT_EQ(report.reason, "withdrawn before it was applied");
  main.apply_next_update();
  EXPECT_EQ(script->count("prepare"), 0);
  EXPECT_EQ(internal::update_registry().report(handle.id())->state, UpdateState::aborted);
  EXPECT_THAT(listening.lines(), testing::ElementsAre("waiting withdrawn"));
}

TEST_F(RollBack, WithdrawsAPostponedUpdateOfAThreadedManager) {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->requirements = [] { return Requirements::not_yet; };
  ThreadedManager main("main");
  UpdateHandle handle = main.add_update(scripted(script, "postponed"));
  while (handle.report().postponements == 0) std::this_thread::yield();
  roll_back(handle.id(), std::chrono::minutes(1));
  EXPECT_EQ(handle.report().state, UpdateState::aborted);
  const int prepared = script->count("prepare");
  main.add_update(scripted(std::make_shared<Script>(), "another")).wait(std::chrono::minutes(1));
  while (script->count("destroyed") == 0) std::this_thread::yield();
  EXPECT_EQ(script->count("prepare"), prepared);
}

TEST_F(RollBack, AWithdrawnUpdateIsNotAbortedAgainWhenItsManagerGoes) {
  Listening listening;
  {
    Manager main("main");
    roll_back(main.add_update(scripted(std::make_shared<Script>(), "withdrawn first")).id());
  }
  EXPECT_THAT(listening.lines(), testing::Not(Contains(testing::HasSubstr("aborted"))));
}

TEST_F(RollBack, OfOneNameTheNewestWaitingGoesBeforeAppliedOnes) {
  UpdateReport applied = apply_one("again");
  Manager main("main");
  UpdateHandle waiting = main.add_update(scripted(std::make_shared<Script>(), "again"));
  roll_back("again");
  EXPECT_EQ(waiting.report().state, UpdateState::aborted);
  EXPECT_TRUE(is_applied("again"));
  roll_back("again");
  EXPECT_EQ(internal::update_registry().report(applied.id)->state, UpdateState::rolled_back);
}

TEST_F(RollBack, AnUpdateBetweenTwoProbesIsLeftToItsManager) {
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->alterable = false;
  Manager main("main");
  UpdateHandle handle = main.add_update(scripted(script, "in hand"));
  main.apply_next_update();
  ASSERT_EQ(handle.report().state, UpdateState::active);
  EXPECT_EQ(code_of([&] { roll_back(handle.id(), std::chrono::milliseconds(10)); }), ErrorCode::timed_out);
  EXPECT_EQ(handle.report().state, UpdateState::active);
  std::jthread manager([&] {
    while (handle.report().state == UpdateState::active) main.apply_next_update();
  });
  roll_back(handle.id(), std::chrono::minutes(1));
  EXPECT_EQ(handle.report().state, UpdateState::aborted);
  EXPECT_EQ(script->count("clean_failed_alterability"), 1);
}

TEST_F(RollBack, KnowsInWhatOrderUpdatesHaveChangedTheProgram) {
  Manager other("other");
  std::shared_ptr<Script> late = std::make_shared<Script>();
  late->alterable = false;
  const UpdateHandle first = other.add_update(scripted(late, "submitted first"));
  other.apply_next_update();
  const UpdateReport second = apply_one("applied first");
  EXPECT_THAT(internal::update_registry().unsettled(), Contains(first.id()));
  late->alterable = true;
  while (first.report().state != UpdateState::applied) other.apply_next_update();
  const std::vector<std::uint64_t> order = internal::update_registry().applied();
  ASSERT_GE(order.size(), 2u);
  EXPECT_EQ(order[0], first.id());
  EXPECT_EQ(order[1], second.id);
  roll_back(first.id());
  EXPECT_EQ(internal::update_registry().applied()[0], second.id);
}

TEST_F(RollBack, InADryRunChangesNothing) {
  UpdateReport applied = apply_one("stays");
  internal::Submission dry_run(internal::Submission::Mode::check);
  internal::Submission::Scope scope(dry_run);
  roll_back(applied.id);
  EXPECT_TRUE(is_applied("stays"));
  EXPECT_EQ(program.version, 2);
}

TEST_F(RollBack, OfTwoThreadsOnlyOneSucceeds) {
  for (int i = 0; i < 100; ++i) {
    std::uint64_t id = apply_one("contended").id;
    std::atomic<int> succeeded = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&] {
        try {
          roll_back(id);
          ++succeeded;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::not_found);
        }
      });
    threads.clear();
    ASSERT_EQ(succeeded, 1);
  }
}

TEST(AllUpdates, AreListedInTheOrderOfSubmission) {
  program.reset();
  AnyKind manager(Kind::inline_manager);
  std::shared_ptr<Script> broken = std::make_shared<Script>();
  broken->at("prepare", [] { throw std::runtime_error("no"); });
  UpdateReport first = manager.carry_out(scripted(std::make_shared<Script>(), "first listed"));
  UpdateReport second = manager.carry_out(scripted(broken, "second listed"));
  UpdateReport third = manager.carry_out(scripted(std::make_shared<Script>(), "third listed"));
  std::vector<UpdateReport> all = all_updates();
  ASSERT_GE(all.size(), 3u);
  EXPECT_EQ(all[all.size() - 3].id, first.id);
  EXPECT_EQ(all[all.size() - 2].state, UpdateState::refused);
  EXPECT_EQ(all[all.size() - 1].name, "third listed");
  EXPECT_EQ(second.id, first.id + 1);
}

TEST(AllUpdates, KeepsTheLastThousandReportsOfUpdatesWithoutEffect) {
  set_log_level(LogLevel::none);
  AnyKind manager(Kind::inline_manager);
  std::shared_ptr<Script> broken = std::make_shared<Script>();
  broken->at("prepare", [] { throw std::runtime_error("no"); });
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < UpdateRegistry::kept_reports + 10; ++i)
    last = manager.carry_out(scripted(broken, "refused one")).id;
  set_log_level(LogLevel::errors);
  std::vector<UpdateReport> all = all_updates();
  EXPECT_EQ(std::ranges::count(all, UpdateState::refused, &UpdateReport::state),
            static_cast<std::ptrdiff_t>(UpdateRegistry::kept_reports));
  EXPECT_EQ(all.back().id, last);
}

}  // namespace
}  // namespace moult::internal::test
