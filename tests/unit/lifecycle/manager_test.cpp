// The inline manager: one update is advanced a call, by the program's own thread.
#include "moult/manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "fake_program.hpp"

namespace moult::internal::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class InlineManager : public testing::Test {
 protected:
  void SetUp() override { program.reset(); }
  void TearDown() override { EXPECT_EQ(program.stopped_now, 0); }

  Manager main_{"main"};
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
};

TEST_F(InlineManager, AppliesAnUpdateInOneCall) {
  UpdateHandle handle = main_.add_update(scripted(script_));
  EXPECT_EQ(handle.report().state, UpdateState::queued);
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::applied);
}

TEST_F(InlineManager, DoesNothingWithAnEmptyQueue) { EXPECT_NO_THROW(main_.apply_next_update()); }

TEST_F(InlineManager, AdvancesAtMostOneUpdateACall) {
  UpdateHandle first = main_.add_update(scripted(script_, "first"));
  UpdateHandle second = main_.add_update(scripted(std::make_shared<Script>(), "second"));
  main_.apply_next_update();
  EXPECT_EQ(first.report().state, UpdateState::applied);
  EXPECT_EQ(second.report().state, UpdateState::queued);
}

TEST_F(InlineManager, PostponesAnUpdateUntilAnotherIsApplied) {
  script_->requirements = [] { return is_applied("enabler") ? Requirements::met : Requirements::not_yet; };
  UpdateHandle waiting = main_.add_update(scripted(script_));
  UpdateHandle enabler = main_.add_update(scripted(std::make_shared<Script>(), "enabler"));
  main_.apply_next_update();
  EXPECT_EQ(waiting.report().state, UpdateState::queued);
  EXPECT_EQ(waiting.report().postponements, 1);
  EXPECT_EQ(script_->count("preupdate_setup"), 0);
  main_.apply_next_update();
  main_.apply_next_update();
  EXPECT_EQ(enabler.report().state, UpdateState::applied);
  EXPECT_EQ(waiting.report().state, UpdateState::applied);
  EXPECT_EQ(waiting.report().reason, "") << "the reason of a postponement is gone when it was applied";
  EXPECT_EQ(script_->count("prepare"), 2) << "the program may have changed meanwhile";
}

TEST_F(InlineManager, AbortsAnUpdateWhoseRequirementsCanNeverBeMet) {
  script_->requirements = [] { return Requirements::never; };
  Listening listening;
  UpdateHandle handle = main_.add_update(scripted(script_));
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::aborted);
  EXPECT_THAT(listening.lines(), Contains("hello's requirements can never be met, aborted"));
  main_.apply_next_update();
  EXPECT_EQ(script_->count("check_requirements"), 1);
}

TEST_F(InlineManager, SetsUpAndProbesInTheFirstCallAndOnlyProbesInLaterOnes) {
  script_->alterable = false;
  main_.add_update(scripted(script_));
  main_.apply_next_update();
  main_.apply_next_update();
  EXPECT_THAT(script_->trace(), ElementsAre("prepare", "check_requirements", "preupdate_setup", "check_alterability",
                                            "check_alterability"));
}

TEST_F(InlineManager, CleansAndPostponesAfterMaxTriesProbesAndAppliesLater) {
  script_->alterable = false;
  script_->at("check_alterability", [] { Transaction::current()->set_reason("hello is active in worker (12)"); });
  Listening listening;
  UpdateHandle handle = main_.add_update(scripted(script_));
  for (int probe = 1; probe < 10; ++probe) main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::active);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 0);
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::queued);
  EXPECT_EQ(handle.report().reason, "hello is active in worker (12)");
  EXPECT_EQ(script_->count("check_alterability"), 10);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 1);
  EXPECT_THAT(listening.lines(), Contains("hello not alterable, postponed: hello is active in worker (12)"));
  script_->alterable = true;
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::applied);
  EXPECT_EQ(script_->count("preupdate_setup"), 2);
}

TEST_F(InlineManager, LetsTheNextUpdateGoFirstWhenOneIsPostponed) {
  script_->alterable = false;
  UpdateHandle stuck = main_.add_update(scripted(script_, "stuck"));
  UpdateHandle other = main_.add_update(scripted(std::make_shared<Script>(), "other"));
  for (int call = 0; call < 11; ++call) main_.apply_next_update();
  EXPECT_EQ(other.report().state, UpdateState::applied);
  EXPECT_EQ(stuck.report().state, UpdateState::queued);
}

TEST_F(InlineManager, FailsAfterTheAllowedPostponementsWithTheLastReason) {
  std::unique_ptr<ScriptedUpdate> update = scripted(script_);
  Patience patience;
  patience.max_tries = 1;
  patience.max_postponements = 2;
  update->set_patience(patience);
  script_->alterable = false;
  script_->at("check_alterability", [] { Transaction::current()->set_reason("hello is active"); });
  UpdateHandle handle = main_.add_update(std::move(update));
  for (int call = 0; call < 2; ++call) main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::queued);
  main_.apply_next_update();
  UpdateReport report = handle.report();
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.postponements, 2);
  EXPECT_EQ(report.code, ErrorCode::alterability);
  EXPECT_THAT(report.reason, HasSubstr("hello is active"));
}

TEST_F(InlineManager, LeavesTheProgramRunningBetweenProbesWhateverTheProbeDid) {
  script_->alterable = false;
  script_->at("check_alterability", [] { Transaction::current()->hold(suspend_program({})); });
  main_.add_update(scripted(script_));
  main_.apply_next_update();
  EXPECT_EQ(program.stopped_now, 0);
}

TEST_F(InlineManager, UndoesChangesOfPreupdateSetupWhenItIsPostponed) {
  script_->alterable = false;
  script_->at("preupdate_setup", [] { set_version(9); });
  std::unique_ptr<ScriptedUpdate> update = scripted(script_);
  Patience patience;
  patience.max_tries = 1;
  update->set_patience(patience);
  main_.add_update(std::move(update));
  main_.apply_next_update();
  EXPECT_EQ(program.version, 1);
}

TEST_F(InlineManager, StaysActiveUntilTheUpdateIsOverAndCleansUpThen) {
  script_->over = false;
  UpdateHandle handle = main_.add_update(scripted(script_));
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::active);
  EXPECT_EQ(program.version, 2);
  script_->over = true;
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::applied);
  EXPECT_EQ(script_->count("apply"), 1);
}

TEST_F(InlineManager, PreparesAgainAfterAnotherUpdateHasChangedTheProgramBetweenTwoProbes) {
  script_->alterable = false;
  UpdateHandle handle = main_.add_update(scripted(script_));
  main_.apply_next_update();
  Manager other("other");
  other.add_update(scripted(std::make_shared<Script>(), "in between"));
  other.apply_next_update();
  script_->alterable = true;
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::applied);
  EXPECT_EQ(script_->count("prepare"), 2);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 1);
}

TEST_F(InlineManager, IgnoresACallFromAStepOfItsOwnUpdate) {
  script_->at("apply", [this] { main_.apply_next_update(); });
  UpdateHandle handle = main_.add_update(scripted(script_));
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::applied);
  EXPECT_EQ(script_->count("apply"), 1);
}

TEST_F(InlineManager, DoesNotKeepTheProgramsThreadWhileAnotherManagerChangesTheProgram) {
  UpdateHandle handle = main_.add_update(scripted(script_));
  std::latch in_setup(1);
  std::latch go_on(1);
  std::shared_ptr<Script> slow = std::make_shared<Script>();
  slow->at("preupdate_setup", [&] {
    in_setup.count_down();
    go_on.wait();
  });
  {
    ThreadedManager other("other");
    UpdateHandle other_handle = other.add_update(scripted(slow, "slow"));
    in_setup.wait();
    main_.apply_next_update();
    EXPECT_EQ(handle.report().state, UpdateState::queued);
    go_on.count_down();
    EXPECT_EQ(other_handle.wait(std::chrono::minutes(1)).state, UpdateState::applied);
  }
  main_.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::applied);
}

TEST_F(InlineManager, TakesUpdatesSubmittedFromApplyOfAnother) {
  std::shared_ptr<Script> next = std::make_shared<Script>();
  script_->at("apply", [&] { main_.add_update(scripted(next, "next")); });
  main_.add_update(scripted(script_));
  main_.apply_next_update();
  main_.apply_next_update();
  EXPECT_EQ(next->count("apply"), 1);
}

TEST_F(InlineManager, RefusesNoUpdateAtAll) {
  try {
    main_.add_update(nullptr);
    FAIL() << "null was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

TEST(ManagerDestruction, AbortsQueuedUpdatesAndHandlesOutliveIt) {
  std::unique_ptr<Manager> manager = std::make_unique<Manager>("short-lived");
  std::shared_ptr<Script> script = std::make_shared<Script>();
  UpdateHandle handle = manager->add_update(scripted(script));
  manager.reset();
  EXPECT_EQ(handle.wait(std::chrono::minutes(1)).state, UpdateState::aborted);
  EXPECT_THAT(handle.report().reason, HasSubstr("short-lived"));
  EXPECT_THAT(script->trace(), ElementsAre("destroyed"));
}

TEST(ManagerDestruction, CleansAnUpdateThatWasSetUp) {
  program.reset();
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->alterable = false;
  std::unique_ptr<Manager> manager = std::make_unique<Manager>("short-lived");
  UpdateHandle handle = manager->add_update(scripted(script));
  manager->apply_next_update();
  manager.reset();
  EXPECT_EQ(handle.report().state, UpdateState::aborted);
  EXPECT_EQ(script->count("clean_failed_alterability"), 1);
}

TEST(ManagerDestruction, UndoesAnUpdateThatWasNotOverYet) {
  program.reset();
  std::shared_ptr<Script> script = std::make_shared<Script>();
  script->over = false;
  std::unique_ptr<Manager> manager = std::make_unique<Manager>("short-lived");
  UpdateHandle handle = manager->add_update(scripted(script));
  manager->apply_next_update();
  manager.reset();
  EXPECT_EQ(handle.report().state, UpdateState::aborted);
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(script->count("cleanup"), 1);
}

class NumberedUpdate final : public Update {
 public:
  NumberedUpdate(std::string name, int version) : Update(std::move(name)), version_(version) {}
  bool check_alterability() override { return true; }
  void apply() override { set_version(version_); }

 private:
  int version_;
};

TEST(Updates, DoNotShareTheirDefaults) {
  NumberedUpdate first("first", 1);
  NumberedUpdate second("second", 2);
  Patience other;
  other.max_tries = 99;
  first.set_patience(other);
  EXPECT_EQ(second.patience().max_tries, 10);
  EXPECT_EQ(second.patience().sleep_time, std::chrono::seconds(1));
  EXPECT_THAT(second.threads(), testing::IsEmpty());
}

TEST(PreconfiguredManagers, BuildTheUpdateFromItsArguments) {
  program.reset();
  PreconfiguredManager<Manager, NumberedUpdate> inline_one("numbers");
  UpdateHandle first = inline_one.add_update("five", 5);
  inline_one.manager().apply_next_update();
  EXPECT_EQ(first.report().state, UpdateState::applied);
  EXPECT_EQ(program.version, 5);
  PreconfiguredManager<ThreadedManager, NumberedUpdate> threaded_one("numbers in a thread");
  EXPECT_EQ(threaded_one.add_update("six", 6).wait(std::chrono::minutes(1)).state, UpdateState::applied);
  EXPECT_EQ(program.version, 6);
}

}  // namespace
}  // namespace moult::internal::test
