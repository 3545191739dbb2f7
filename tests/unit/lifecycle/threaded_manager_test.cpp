// The manager with a thread of its own. Every wait here has a deadline that only a broken manager reaches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "fake_program.hpp"
#include "lifecycle/update_registry.hpp"

namespace moult::internal::test {
namespace {

using testing::HasSubstr;

constexpr std::chrono::minutes long_time{1};

/// Holds an update in a step until the test opens it.
class Gate final {
 public:
  void hold() {
    reached_.count_down();
    open_.wait();
  }
  void wait_until_reached() { reached_.wait(); }
  void open() { open_.count_down(); }

 private:
  std::latch reached_{1};
  std::latch open_{1};
};

class WithThread : public testing::Test {
 protected:
  void SetUp() override { program.reset(); }
  void TearDown() override {
    EXPECT_EQ(program.stopped_now, 0);
    EXPECT_FALSE(program.overlapping);
  }
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
};

TEST_F(WithThread, AppliesAnUpdateInItsOwnThread) {
  ThreadedManager main("main");
  std::thread::id seen;
  script_->at("apply", [&] { seen = std::this_thread::get_id(); });
  EXPECT_EQ(main.add_update(scripted(script_)).wait(long_time).state, UpdateState::applied);
  EXPECT_NE(seen, std::this_thread::get_id());
}

TEST_F(WithThread, AnUpdateThatWaitsLosesItsTurnAndBeginsAgainWhenTheProgramHasChanged) {
  ThreadedManager main("main");
  ThreadedManager other("other");
  script_->alterable = false;
  auto patient = std::make_unique<ScriptedUpdate>(script_);
  patient->set_patience({.max_tries = 3600, .sleep_time = std::chrono::seconds(1)});
  const UpdateHandle waiting = main.add_update(std::move(patient));
  while (script_->count("check_alterability") < 3) std::this_thread::yield();
  EXPECT_EQ(script_->count("prepare"), 1);
  EXPECT_EQ(other.add_update(scripted(std::make_shared<Script>())).wait(long_time).state, UpdateState::applied);
  EXPECT_EQ(waiting.report().state, UpdateState::active);
  script_->alterable = true;
  EXPECT_EQ(waiting.wait(long_time).state, UpdateState::applied);
  EXPECT_EQ(script_->count("prepare"), 2);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 1);
}

TEST_F(WithThread, AnUpdateThatWaitsIsWithdrawnAndCleanedUp) {
  ThreadedManager main("main");
  script_->alterable = false;
  auto patient = std::make_unique<ScriptedUpdate>(script_);
  patient->set_patience({.max_tries = 3600, .sleep_time = std::chrono::seconds(1)});
  const UpdateHandle waiting = main.add_update(std::move(patient));
  while (script_->count("check_alterability") < 3) std::this_thread::yield();
  roll_back(waiting.id());
  EXPECT_EQ(waiting.report().state, UpdateState::aborted);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 1);
  EXPECT_EQ(script_->count("apply"), 0);
  EXPECT_EQ(main.add_update(scripted(std::make_shared<Script>())).wait(long_time).state, UpdateState::applied);
}

TEST_F(WithThread, AnUpdateThatIsWithdrawnWhileItPreparesDoesNotChangeTheProgram) {
  ThreadedManager main("main");
  Gate gate;
  script_->at("prepare", [&] { gate.hold(); });
  const UpdateHandle prepared = main.add_update(scripted(script_));
  gate.wait_until_reached();
  update_registry().withdraw(prepared.id());
  gate.open();
  EXPECT_EQ(prepared.wait(long_time).state, UpdateState::aborted);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 1);
  EXPECT_EQ(script_->count("apply"), 0);
}

TEST_F(WithThread, AnUpdateThatIsWithdrawnWhileItGivesUpIsNotTriedAgain) {
  ThreadedManager main("main");
  Gate gate;
  script_->requirements = [&] {
    if (script_->count("check_requirements") == 1) gate.hold();
    return Requirements::not_yet;
  };
  const UpdateHandle postponed = main.add_update(scripted(script_));
  gate.wait_until_reached();
  update_registry().withdraw(postponed.id());
  gate.open();
  EXPECT_EQ(postponed.wait(long_time).state, UpdateState::aborted);
  EXPECT_EQ(script_->count("check_requirements"), 1);
  EXPECT_EQ(main.add_update(scripted(std::make_shared<Script>())).wait(long_time).state, UpdateState::applied);
}

TEST_F(WithThread, AnUpdateThatChangesTheProgramCannotBeWithdrawn) {
  ThreadedManager main("main");
  Gate gate;
  script_->at("apply", [&] { gate.hold(); });
  const UpdateHandle changing = main.add_update(scripted(script_));
  gate.wait_until_reached();
  update_registry().withdraw(changing.id());
  gate.open();
  EXPECT_EQ(changing.wait(long_time).state, UpdateState::applied);
}

TEST_F(WithThread, CarriesUpdatesOutInTheOrderOfTheirIdsWhoeverSubmitsThem) {
  constexpr int submitters = 4;
  constexpr int updates = 100;
  ThreadedManager main("main");
  std::vector<std::uint64_t*> order;
  std::array<std::uint64_t, submitters * updates> ids{};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < submitters; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < updates; ++i) {
          std::uint64_t* const id = &ids[thread * updates + i];
          auto script = std::make_shared<Script>();
          script->at("apply", [&order, id] { order.push_back(id); });
          *id = main.add_update(scripted(script)).id();
        }
      });
  }
  ASSERT_EQ(main.add_update(scripted(script_)).wait(long_time).state, UpdateState::applied);
  ASSERT_EQ(order.size(), ids.size());
  EXPECT_TRUE(
      std::is_sorted(order.begin(), order.end(), [](const auto* one, const auto* other) { return *one < *other; }));
}

TEST_F(WithThread, PostponesAnUpdateUntilAnotherIsAppliedAndThenTakesItAtOnce) {
  ThreadedManager main("main");
  script_->requirements = [] { return is_applied("threaded enabler") ? Requirements::met : Requirements::not_yet; };
  std::unique_ptr<ScriptedUpdate> update = scripted(script_);
  Patience patience;
  patience.sleep_time = std::chrono::hours(1);
  update->set_patience(patience);
  UpdateHandle waiting = main.add_update(std::move(update));
  UpdateHandle enabler = main.add_update(scripted(std::make_shared<Script>(), "threaded enabler"));
  EXPECT_EQ(enabler.wait(long_time).state, UpdateState::applied);
  EXPECT_EQ(waiting.wait(long_time).state, UpdateState::applied);
}

TEST_F(WithThread, AbortsAnUpdateWhoseRequirementsCanNeverBeMet) {
  ThreadedManager main("main");
  script_->requirements = [] { return Requirements::never; };
  EXPECT_EQ(main.add_update(scripted(script_)).wait(long_time).state, UpdateState::aborted);
}

TEST_F(WithThread, PostponesAnUpdateThatDoesNotBecomeAlterableAndAppliesItLater) {
  script_->alterable = false;
  ThreadedManager main("main");
  UpdateHandle handle = main.add_update(scripted(script_));
  ASSERT_TRUE(main.wait_current_update(long_time));
  EXPECT_GE(handle.report().postponements, 1);
  EXPECT_GE(script_->count("clean_failed_alterability"), 1);
  script_->alterable = true;
  EXPECT_EQ(handle.wait(long_time).state, UpdateState::applied);
}

TEST_F(WithThread, LeavesAPostponedUpdateAloneForItsSleepTime) {
  script_->requirements = [] { return Requirements::not_yet; };
  std::unique_ptr<ScriptedUpdate> update = scripted(script_);
  Patience patience;
  patience.sleep_time = std::chrono::hours(1);
  update->set_patience(patience);
  ThreadedManager main("main");
  UpdateHandle stuck = main.add_update(std::move(update));
  std::shared_ptr<Script> refused = std::make_shared<Script>();
  refused->requirements = [] { return Requirements::never; };
  // It was submitted first, so it has been tried and postponed when the first of these has ended.
  for (int i = 0; i < 20; ++i) main.add_update(scripted(refused)).wait(long_time);
  EXPECT_EQ(script_->count("check_requirements"), 1) << "it must not be tried over and over";
  EXPECT_EQ(stuck.report().state, UpdateState::queued);
}

TEST_F(WithThread, HandlesTimeOutOnAnUpdateThatNeverEnds) {
  script_->requirements = [] { return Requirements::not_yet; };
  ThreadedManager main("main");
  UpdateHandle handle = main.add_update(scripted(script_));
  UpdateState state = handle.wait(std::chrono::milliseconds(5)).state;
  EXPECT_TRUE(state == UpdateState::queued || state == UpdateState::active);
}

TEST_F(WithThread, WaitCurrentUpdateIsTrueAtOnceWhenThereIsNone) {
  ThreadedManager main("main");
  EXPECT_TRUE(main.wait_current_update(long_time));
}

TEST_F(WithThread, WaitCurrentUpdateDoesNotReturnBeforeTheUpdateHasEnded) {
  Gate gate;
  script_->at("apply", [&] { gate.hold(); });
  ThreadedManager main("main");
  UpdateHandle handle = main.add_update(scripted(script_));
  gate.wait_until_reached();
  EXPECT_FALSE(main.wait_current_update(std::chrono::milliseconds(2)));
  gate.open();
  EXPECT_TRUE(main.wait_current_update(long_time));
  EXPECT_EQ(handle.report().state, UpdateState::applied);
}

TEST_F(WithThread, WaitCurrentUpdateWaitsForOneThatWasJustAdded) {
  ThreadedManager main("main");
  for (int i = 0; i < 500; ++i) {
    UpdateHandle handle = main.add_update(scripted(std::make_shared<Script>()));
    ASSERT_TRUE(main.wait_current_update(long_time));
    ASSERT_EQ(handle.report().state, UpdateState::applied);
  }
}

TEST_F(WithThread, StopLetsTheCurrentUpdateEndAndAbortsTheRest) {
  Gate gate;
  script_->at("apply", [&] { gate.hold(); });
  ThreadedManager main("main");
  UpdateHandle in_hand = main.add_update(scripted(script_));
  UpdateHandle queued = main.add_update(scripted(std::make_shared<Script>(), "queued"));
  gate.wait_until_reached();
  main.stop();
  main.stop();
  UpdateHandle late = main.add_update(scripted(std::make_shared<Script>(), "late"));
  EXPECT_EQ(late.wait(long_time).state, UpdateState::aborted);
  gate.open();
  EXPECT_EQ(in_hand.wait(long_time).state, UpdateState::applied);
  EXPECT_EQ(queued.wait(long_time).state, UpdateState::aborted);
  EXPECT_THAT(queued.report().reason, HasSubstr("main was stopped"));
}

TEST_F(WithThread, DestructionAbortsQueuedAndPostponedUpdatesAndHandlesOutliveIt) {
  Gate gate;
  script_->at("apply", [&] { gate.hold(); });
  std::shared_ptr<Script> not_yet = std::make_shared<Script>();
  not_yet->requirements = [] { return Requirements::not_yet; };
  std::unique_ptr<ThreadedManager> main = std::make_unique<ThreadedManager>("main");
  UpdateHandle postponed = main->add_update(scripted(not_yet));
  UpdateHandle in_hand = main->add_update(scripted(script_));
  std::vector<UpdateHandle> queued;
  for (int i = 0; i < 100; ++i) queued.push_back(main->add_update(scripted(std::make_shared<Script>())));
  gate.wait_until_reached();
  std::jthread opener([&] {
    main->stop();
    gate.open();
  });
  opener.join();
  main.reset();
  EXPECT_EQ(in_hand.report().state, UpdateState::applied);
  EXPECT_EQ(postponed.report().state, UpdateState::aborted);
  for (const UpdateHandle& handle : queued) EXPECT_EQ(handle.report().state, UpdateState::aborted);
  EXPECT_EQ(fetch_manager("main"), nullptr);
}

TEST_F(WithThread, StopsWhileItWaitsForAnotherManagersChange) {
  Gate gate;
  script_->at("preupdate_setup", [&] { gate.hold(); });
  ThreadedManager slow("slow");
  UpdateHandle slow_update = slow.add_update(scripted(script_));
  gate.wait_until_reached();
  std::unique_ptr<ThreadedManager> waiting = std::make_unique<ThreadedManager>("waiting");
  UpdateHandle handle = waiting->add_update(scripted(std::make_shared<Script>()));
  waiting.reset();
  EXPECT_EQ(handle.report().state, UpdateState::aborted);
  gate.open();
  EXPECT_EQ(slow_update.wait(long_time).state, UpdateState::applied);
}

TEST_F(WithThread, OneChangeAtATimeInTheWholeProcess) {
  std::atomic<int> inside = 0;
  std::atomic<bool> together = false;
  std::vector<std::unique_ptr<ThreadedManager>> managers;
  std::vector<UpdateHandle> handles;
  for (int i = 0; i < 4; ++i) managers.push_back(std::make_unique<ThreadedManager>("manager " + std::to_string(i)));
  for (int i = 0; i < 200; ++i) {
    std::shared_ptr<Script> script = std::make_shared<Script>();
    script->at("prepare", [&] { together = together || inside.fetch_add(1) != 0; });
    script->at("resume_hook", [&] { --inside; });
    handles.push_back(managers[static_cast<std::size_t>(i % 4)]->add_update(scripted(script)));
  }
  for (const UpdateHandle& handle : handles) EXPECT_EQ(handle.wait(long_time).state, UpdateState::applied);
  EXPECT_FALSE(together);
}

TEST_F(WithThread, TakesUpdatesSubmittedFromApplyOfAnother) {
  ThreadedManager main("main");
  std::shared_ptr<Script> next = std::make_shared<Script>();
  std::optional<UpdateHandle> handle;
  script_->at("apply", [&] { handle = main.add_update(scripted(next, "next")); });
  ASSERT_EQ(main.add_update(scripted(script_)).wait(long_time).state, UpdateState::applied);
  EXPECT_EQ(handle->wait(long_time).state, UpdateState::applied);
}

/// The least an update can be, so that a hundred thousand are quick.
class Tiny final : public Update {
 public:
  explicit Tiny(std::atomic<int>& reached) : Update("tiny"), reached_(reached) {}
  Requirements check_requirements() override {
    ++reached_;
    return Requirements::never;
  }
  void apply() override {}

 private:
  std::atomic<int>& reached_;
};

TEST_F(WithThread, LosesNoneOfAHundredThousandUpdatesFromFourThreads) {
  constexpr int each = 25'000;
  set_log_level(LogLevel::none);
  std::atomic<int> reached = 0;
  {
    ThreadedManager main("main");
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j + 1 < each; ++j) main.add_update(std::make_unique<Tiny>(reached));
        EXPECT_EQ(main.add_update(std::make_unique<Tiny>(reached)).wait(long_time).state, UpdateState::aborted);
      });
    threads.clear();
  }
  set_log_level(LogLevel::errors);
  EXPECT_EQ(reached, 4 * each);
}

TEST_F(WithThread, WakesForEachUpdateThatIsAddedWhileAnotherEnds) {
  ThreadedManager main("main");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j)
        ASSERT_EQ(main.add_update(scripted(std::make_shared<Script>())).wait(long_time).state, UpdateState::applied);
    });
  threads.clear();
}

}  // namespace
}  // namespace moult::internal::test
