// The order of an update's steps, and the effect of an exception from each of them, with both kinds of manager.
#include "lifecycle/update_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <thread>

#include "base/fault.hpp"
#include "fake_program.hpp"

namespace moult::internal::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

class EveryManager : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { program.reset(); }
  void TearDown() override {
    EXPECT_EQ(program.stopped_now, 0) << "the program was left stopped";
    EXPECT_FALSE(program.overlapping);
    EXPECT_FALSE(program.lock_held) << "a lock of moult was held across a stop";
  }
  /// A good update after a failed one is applied as if nothing had happened.
  void expect_next_update_is_applied() {
    std::shared_ptr<Script> good = std::make_shared<Script>();
    UpdateReport report = main_.carry_out(scripted(good, "good"));
    EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
    EXPECT_EQ(program.version, 2);
  }

  AnyKind main_{GetParam()};
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
};

INSTANTIATE_TEST_SUITE_P(Lifecycle, EveryManager, testing::Values(Kind::inline_manager, Kind::threaded_manager),
                         [](const auto& parameter) { return name_of_kind(parameter.param); });

TEST_P(EveryManager, CallsTheStepsInOrderAndApplyInAStoppedProgram) {
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::applied);
  EXPECT_THAT(script_->trace(),
              ElementsAre("prepare", "check_requirements", "preupdate_setup", "check_alterability", "pause_hook",
                          "apply*", "preresume_setup*", "resume_hook*", "check_over", "cleanup"));
  EXPECT_EQ(program.version, 2);
  EXPECT_EQ(program.stops, 1);
}

TEST_P(EveryManager, ReportsTheChangesAndThePause) {
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.name, "hello");
  EXPECT_EQ(report.manager, "main");
  EXPECT_THAT(report.changes, ElementsAre("version 1 became 2"));
  EXPECT_EQ(report.threads, 2u);
  EXPECT_GT(report.pause.count(), 0);
  EXPECT_EQ(report.pause, report.all_pauses);
  EXPECT_FALSE(report.code.has_value());
}

TEST_P(EveryManager, PublishesAnEventForEveryStep) {
  set_log_level(LogLevel::all);
  testing::internal::CaptureStderr();
  Listening listening;
  main_.carry_out(scripted(script_));
  testing::internal::GetCapturedStderr();
  set_log_level(LogLevel::errors);
  std::vector<std::string> lines = listening.lines();
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[0], "hello added to main's queue");
  EXPECT_EQ(lines[1], "main begins hello");
  EXPECT_EQ(lines[2], "alterability of hello reached");
  EXPECT_EQ(lines[3], "main suspended worker (12), web (13)");
  EXPECT_THAT(lines[4], HasSubstr("main resumed worker (12), web (13) after "));
  EXPECT_EQ(lines[5], "hello over");
  EXPECT_EQ(lines[6], "hello completed");
}

TEST_P(EveryManager, PublishesNothingWhileTheProgramIsStopped) {
  script_->at("check_alterability", [] { Transaction::current()->hold(suspend_program({})); });
  Listening listening;
  main_.carry_out(scripted(script_));
  EXPECT_FALSE(listening.told_while_stopped());
  EXPECT_THAT(listening.kinds(), IsSupersetOf({EventKind::alterability_reached, EventKind::threads_found_suspended,
                                               EventKind::threads_resumed}));
  EXPECT_THAT(listening.kinds(), Not(Contains(EventKind::threads_suspended)));
  EXPECT_EQ(program.stops, 1);
}

TEST_P(EveryManager, ResumesWhenTheUpdateForgetsTo) {
  script_->at("check_alterability", [] { Transaction::current()->hold(suspend_program({})); });
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::applied);
  EXPECT_THAT(script_->trace(), Contains("check_over"));
}

TEST_P(EveryManager, ContinuesWhenTheUpdateResumesByItself) {
  script_->at("resume_hook", [] { Transaction::current()->resume(); });
  EXPECT_EQ(main_.carry_out(scripted(script_)).state, UpdateState::applied);
  EXPECT_GT(all_updates().back().pause.count(), 0);
}

TEST_P(EveryManager, StopsTheProgramAgainToUndoWhenTheUpdateHasDroppedTheStop) {
  script_->at("apply", [] {
    Transaction::current()->resume();
    throw Error(ErrorCode::no_room, "no room near hello");
  });
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::no_room);
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(program.stops, 2);
  expect_next_update_is_applied();
}

TEST_P(EveryManager, ReportsAnUpdateAsAppliedOnlyWhenItIs) {
  std::string name = std::string("not before ") + name_of_kind(GetParam());
  script_->at("apply", [name] { EXPECT_FALSE(is_applied(name)); });
  main_.carry_out(scripted(script_, name));
  EXPECT_TRUE(is_applied(name));
}

TEST_P(EveryManager, FailsWhenTheProgramCannotBeStopped) {
  program.failing_stops = 1;
  Listening listening;
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::thread_unstoppable);
  EXPECT_THAT(report.reason, HasSubstr("worker (12)"));
  EXPECT_THAT(listening.kinds(), Contains(EventKind::suspend_timed_out));
  EXPECT_EQ(script_->count("apply"), 0) << "the original logged the timeout and applied all the same";
  EXPECT_EQ(script_->count("clean_failed_alterability"), 1);
  EXPECT_EQ(script_->count("resume_hook"), 1) << "the pause hook that was called must find its pair";
  expect_next_update_is_applied();
}

TEST_P(EveryManager, UndoesAnUpdateThatIsNeverOver) {
  script_->over = false;
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::timed_out);
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(script_->count("cleanup"), 1);
  EXPECT_EQ(script_->count("clean_failed_alterability"), 0);
  expect_next_update_is_applied();
}

TEST_P(EveryManager, RefusesAPrepareThatChangesTheProgram) {
  script_->at("prepare", [] { set_version(7); });
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("prepare changed or stopped the program"));
  EXPECT_EQ(program.version, 1);
}

TEST_P(EveryManager, RequiresAnAlterabilityCriterion) {
  class Bare final : public Update {
   public:
    Bare() : Update("bare") {}
    void apply() override {}
  };
  UpdateReport report = main_.carry_out(std::make_unique<Bare>());
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::invalid_argument);
  EXPECT_THAT(report.reason, HasSubstr("bare"));
}

TEST_P(EveryManager, GivesUpdatesWithoutThreadsThoseOfTheManager) {
  Manager manager("with threads", {ThreadId{7}});
  std::unique_ptr<ScriptedUpdate> update = scripted(script_);
  const Update& seen = *update;
  manager.add_update(std::move(update));
  EXPECT_THAT(seen.threads(), ElementsAre(ThreadId{7}));
}

TEST_P(EveryManager, DestroysAnUpdateWithoutEffectBeforeItsEndIsReported) {
  script_->at("prepare", [] { throw std::runtime_error("no"); });
  main_.carry_out(scripted(script_));
  EXPECT_EQ(script_->count("destroyed"), 1);
}

TEST_P(EveryManager, UndoesWhenTheCheckOfTheUndoSaysNoInAStopThatWasNeverLeft) {
  script_->at("apply", [] {
    set_version(3, [] { throw Error(ErrorCode::still_active, "version 3 is active"); });
    throw Error(ErrorCode::no_room, "no room");
  });
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.code, ErrorCode::no_room);
  EXPECT_EQ(program.version, 1) << "no thread has run, so nothing new can be active";
  EXPECT_EQ(program.stops, 1);
}

TEST_P(EveryManager, RetriesAnUndoWhoseCheckSaysNo) {
  std::shared_ptr<std::atomic<int>> refusals = std::make_shared<std::atomic<int>>(3);
  script_->at("apply", [refusals] {
    set_version(3, [refusals] {
      if ((*refusals)-- > 0) throw Error(ErrorCode::still_active, "version 3 is active");
    });
  });
  script_->at("check_over", [] { throw std::runtime_error("over is broken"); });
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("over is broken"));
  EXPECT_EQ(program.version, 1);
  EXPECT_EQ(program.stops, 5) << "one to apply, three in vain, one to undo";
}

TEST_P(EveryManager, NamesTheChangesThatCouldNotBeUndone) {
  std::shared_ptr<std::atomic<bool>> active = std::make_shared<std::atomic<bool>>(true);
  script_->at("apply", [active] {
    set_version(3, [active] {
      if (*active) throw Error(ErrorCode::still_active, "version 3 is active in worker (12)");
    });
  });
  script_->at("check_over", [] { throw std::runtime_error("over is broken"); });
  Listening listening;
  UpdateReport report = main_.carry_out(scripted(script_, "stuck"));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("over is broken; not undone: version 3 is active in worker (12)"));
  EXPECT_THAT(report.changes, ElementsAre("version 1 became 2", "version 2 became 3"));
  EXPECT_THAT(listening.kinds(), Contains(EventKind::undo_failed));
  EXPECT_EQ(program.version, 3);
  EXPECT_FALSE(is_applied("stuck"));
  *active = false;
  roll_back("stuck");
  EXPECT_EQ(program.version, 1) << "what could not be undone then can be taken back later";
}

TEST_P(EveryManager, IgnoresExceptionsOfHooksDuringAnUndo) {
  script_->at("apply", [] { throw std::runtime_error("apply is broken"); });
  script_->at("resume_hook", [] { throw 3; });
  script_->at("clean_failed_alterability", [] { throw std::runtime_error("so is the cleaning"); });
  Listening listening;
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_THAT(report.reason, HasSubstr("apply is broken"));
  EXPECT_EQ(testing::Matches(Contains(EventKind::warning).Times(2))(listening.kinds()), true);
  EXPECT_EQ(program.version, 1);
  expect_next_update_is_applied();
}

/// A step and the exception that it throws.
struct Throw {
  const char* step;
  UpdateState state;
};
constexpr Throw throws[] = {
    {"prepare", UpdateState::refused},
    {"check_requirements", UpdateState::refused},
    {"preupdate_setup", UpdateState::failed},
    {"check_alterability", UpdateState::failed},
    {"clean_failed_alterability", UpdateState::failed},
    {"pause_hook", UpdateState::failed},
    {"apply", UpdateState::failed},
    {"preresume_setup", UpdateState::failed},
    {"resume_hook", UpdateState::failed},
    {"check_over", UpdateState::failed},
    {"cleanup", UpdateState::failed},
};

TEST_P(EveryManager, UndoesAnUpdateWhicheverStepThrowsAndContinues) {
  for (const Throw& thrown : throws) {
    SCOPED_TRACE(thrown.step);
    program.reset();
    std::shared_ptr<Script> script = std::make_shared<Script>();
    if (std::string(thrown.step) == "clean_failed_alterability") script->alterable = false;
    script->at(thrown.step, [] { throw Error(ErrorCode::inlined, "inlined at app.cpp:42"); });
    UpdateReport report = main_.carry_out(scripted(script));
    EXPECT_EQ(report.state, thrown.state);
    EXPECT_EQ(report.code, ErrorCode::inlined);
    EXPECT_EQ(report.reason, "inlined at app.cpp:42");
    EXPECT_THAT(report.changes, testing::IsEmpty());
    EXPECT_EQ(program.version, 1);
    EXPECT_EQ(program.stopped_now, 0);
    EXPECT_EQ(script->count("pause_hook"), script->count("resume_hook") + (report.state == UpdateState::failed &&
                                                                           std::string(thrown.step) == "pause_hook"));
    expect_next_update_is_applied();
  }
}

TEST_P(EveryManager, CleansUpExactlyOnceAfterPreupdateSetupWhateverThrows) {
  for (const Throw& thrown : throws) {
    if (thrown.state == UpdateState::refused) continue;
    SCOPED_TRACE(thrown.step);
    std::shared_ptr<Script> script = std::make_shared<Script>();
    if (std::string(thrown.step) == "clean_failed_alterability") script->alterable = false;
    script->at(thrown.step, [] { throw std::runtime_error("broken"); });
    main_.carry_out(scripted(script));
    EXPECT_EQ(script->count("clean_failed_alterability") + script->count("cleanup"), 1);
  }
}

TEST_P(EveryManager, EndsTheAttemptWhateverThrows) {
  for (const Throw& thrown : throws) {
    if (thrown.state == UpdateState::refused) continue;
    SCOPED_TRACE(thrown.step);
    std::shared_ptr<Script> script = std::make_shared<Script>();
    std::atomic<int> let_go = 0;
    if (std::string(thrown.step) == "clean_failed_alterability") script->alterable = false;
    script->at("preupdate_setup", [&] {
      Transaction::current()->on_attempt_end([&] {
        EXPECT_EQ(script->count("destroyed"), 0);
        ++let_go;
      });
      if (std::string(thrown.step) == "preupdate_setup") throw std::runtime_error("broken");
    });
    if (std::string(thrown.step) != "preupdate_setup")
      script->at(thrown.step, [] { throw std::runtime_error("broken"); });
    main_.carry_out(scripted(script));
    EXPECT_EQ(let_go, 1);
  }
}

TEST_P(EveryManager, EndsTheAttemptWhenTheProgramRunsAgainAfterApply) {
  std::atomic<bool> is_let_go = false;
  script_->at("preupdate_setup", [&] {
    Transaction::current()->on_attempt_end([&] {
      EXPECT_EQ(program.stopped_now, 0);
      EXPECT_EQ(program.version, 2);
      is_let_go = true;
    });
  });
  script_->at("check_over", [&] { EXPECT_TRUE(is_let_go); });
  EXPECT_EQ(main_.carry_out(scripted(script_)).state, UpdateState::applied);
}

/// Lets another thread, whose id it notes, carry out the steps of the pause.
void run_pause_elsewhere(std::thread::id& runner) {
  Transaction::current()->run_pause_on([&runner](const std::function<void()>& steps) {
    std::exception_ptr failure;
    std::jthread([&] {
      runner = std::this_thread::get_id();
      try {
        steps();
      } catch (...) {
        failure = std::current_exception();
      }
    }).join();
    if (failure) std::rethrow_exception(failure);
  });
}

TEST_P(EveryManager, HasThePauseCarriedOutByAnotherThread) {
  std::thread::id runner;
  std::vector<std::thread::id> seen;
  script_->at("preupdate_setup", [&] { run_pause_elsewhere(runner); });
  for (const char* step : {"apply", "preresume_setup", "resume_hook"})
    script_->at(step, [&seen] { seen.push_back(std::this_thread::get_id()); });
  EXPECT_EQ(main_.carry_out(scripted(script_)).state, UpdateState::applied);
  EXPECT_THAT(seen, ElementsAre(runner, runner, runner));
  EXPECT_EQ(program.version, 2);
}

TEST_P(EveryManager, UndoesInTheOtherThreadsStopWhenItThrows) {
  for (const char* step : {"apply", "preresume_setup", "resume_hook"}) {
    SCOPED_TRACE(step);
    program.reset();
    std::shared_ptr<Script> script = std::make_shared<Script>();
    std::thread::id runner;
    script->at("preupdate_setup", [&] { run_pause_elsewhere(runner); });
    script->at(step, [] { throw Error(ErrorCode::no_room, "no room near hello"); });
    UpdateReport report = main_.carry_out(scripted(script));
    EXPECT_EQ(report.state, UpdateState::failed);
    EXPECT_EQ(report.reason, "no room near hello");
    EXPECT_EQ(program.version, 1);
    EXPECT_EQ(program.stops, 1);
    EXPECT_EQ(script->count("resume_hook"), 1);
    expect_next_update_is_applied();
  }
}

TEST_P(EveryManager, ReportsWhatAnUpdateWaitsForWhileItWaits) {
  std::string told;
  script_->at("check_alterability", [&told] {
    Transaction::current()->set_reason("hello is active in worker (12)");
    told = all_updates().back().reason;
  });
  UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(told, "hello is active in worker (12)");
  EXPECT_EQ(report.state, UpdateState::applied);
  EXPECT_EQ(report.reason, "");
}

class Wordless final : public std::exception {
 public:
  const char* what() const noexcept override { return ""; }
};

TEST_P(EveryManager, NamesTheTypeOfAnExceptionWithoutAMessage) {
  script_->at("apply", [] { throw Wordless(); });
  EXPECT_THAT(main_.carry_out(scripted(script_)).reason,
              testing::MatchesRegex("apply threw moult::.*Wordless without a word"));
  script_ = std::make_shared<Script>();
  script_->at("apply", [] { throw Error(ErrorCode::inlined, ""); });
  const UpdateReport report = main_.carry_out(scripted(script_));
  EXPECT_EQ(report.code, ErrorCode::inlined);
  EXPECT_EQ(report.reason, "apply threw moult::Error without a word");
}

TEST_P(EveryManager, NamesTheTypeOfAnExceptionOfTheLibrary) {
  script_->at("prepare", [] { throw std::out_of_range("too far"); });
  EXPECT_EQ(main_.carry_out(scripted(script_)).reason, "prepare threw std::out_of_range: too far");
}

TEST_P(EveryManager, SurvivesWhateverTypeIsThrown) {
  for (const Throw& thrown : throws) {
    if (std::string(thrown.step) == "clean_failed_alterability") continue;  // its own name, its own test above
    SCOPED_TRACE(thrown.step);
    program.reset();
    std::shared_ptr<Script> script = std::make_shared<Script>();
    script->at(thrown.step, [] { throw 42; });
    UpdateReport report = main_.carry_out(scripted(script));
    EXPECT_EQ(report.state, thrown.state);
    EXPECT_EQ(report.code, ErrorCode::internal);
    EXPECT_THAT(report.reason, HasSubstr("threw something that is no std::exception"));
    EXPECT_EQ(program.version, 1);
  }
}

TEST_P(EveryManager, LeavesNoTraceOfAFaultBeforeAnyStep) {
  int fired = 0;
  for (std::string_view point : fault_points()) {
    if (!point.starts_with("lifecycle.")) continue;
    for (FaultKind kind : {FaultKind::error, FaultKind::out_of_memory}) {
      SCOPED_TRACE(std::string(point));
      program.reset();
      std::shared_ptr<Script> script = std::make_shared<Script>();
      script->alterable = !point.ends_with("clean_failed_alterability");
      {
        ArmedFault fault(point, 1, kind);
        UpdateReport report = main_.carry_out(scripted(script));
        if (!fault.fired()) continue;  // a point of the other kind of manager
        EXPECT_TRUE(report.state == UpdateState::failed || report.state == UpdateState::refused);
        EXPECT_NE(report.reason, "");
      }
      ++fired;
      EXPECT_EQ(program.version, 1);
      EXPECT_EQ(program.stopped_now, 0);
      expect_next_update_is_applied();
    }
  }
  EXPECT_GE(fired, 2 * 12);
}

}  // namespace
}  // namespace moult::internal::test
