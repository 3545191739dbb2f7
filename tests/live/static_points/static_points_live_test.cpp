// Updates at static points, carried out by managers: what lets the threads go, whatever happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/fault.hpp"
#include "control/live.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/relinking.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"
#include "points/static_points.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

MOULT_UPDATABLE int tic() { return 1; }
MOULT_UPDATABLE int tac() { return 1; }
int tic_two() { return 2; }
int tac_two() { return 2; }

Patience patient() {
  return {.max_tries = 600, .sleep_time = 100ms, .stop_timeout = 20s, .max_postponements = std::nullopt};
}

/// Goes round until it is told to stop.
class Clock final {
 public:
  explicit Clock(ThreadRole role = ThreadRole::passive) : thread_({.name = "clock", .role = role}, [this] { go(); }) {}
  ~Clock() { ends_ = true; }

  ThreadId id() const { return thread_.id(); }
  int torn() const { return torn_; }
  void await_a_round() const {
    for (const long before = rounds_; rounds_ == before;) std::this_thread::yield();
  }

 private:
  void go() {
    while (!ends_) {
      static_update_point("top");
      const int sound = tic();
      std::this_thread::yield();
      if (tac() != sound) ++torn_;
      ++rounds_;
    }
  }

  std::atomic<bool> ends_{false};
  std::atomic<int> torn_{0};
  std::atomic<long> rounds_{0};
  Thread thread_;
};

/// A thread that comes to no point while this lives.
class Sleeper final {
 public:
  ~Sleeper() { may_end_.count_down(); }
  ThreadId id() const { return thread_.id(); }

 private:
  std::latch may_end_{1};
  Thread thread_{"sleeper", [this] { may_end_.wait(); }};
};

/// Does what it is told to in its steps.
class Told final : public StaticPointUpdate {
 public:
  using Act = std::function<void()>;
  struct Steps {
    Act pause_hook = [] {};
    Act apply = [] {};
    Act cleanup = [] {};
  };
  explicit Told(Steps steps, std::vector<std::string> points = {"top"}, std::vector<ThreadId> threads = {},
                const Patience& patience = patient())
      : StaticPointUpdate("told", std::move(points), std::move(threads)), steps_(std::move(steps)) {
    set_patience(patience);
  }
  void pause_hook() override { steps_.pause_hook(); }
  void apply() override { steps_.apply(); }
  void cleanup() override { steps_.cleanup(); }

 private:
  Steps steps_;
};

void redefine_both() {
  redefine_function(tic, tic_two);
  redefine_function(tac, tac_two);
}

class StaticPointsLive : public testing::Test {
 protected:
  StaticPointsLive() { set_log_level(LogLevel::none); }
  template <class... Args>
  UpdateReport carry_out(Args&&... args) {
    return manager_.add_update(std::make_unique<Told>(std::forward<Args>(args)...)).wait(120s);
  }

  ThreadedManager manager_{"static points"};
};

TEST_F(StaticPointsLive, TwoFunctionsChangeBetweenTwoRoundsAndCanBeTakenBack) {
  Clock clock;
  const UpdateReport report = carry_out(Told::Steps{.apply = redefine_both});
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  clock.await_a_round();
  EXPECT_EQ(clock.torn(), 0);
  EXPECT_EQ(tic() + tac(), 4);
  roll_back(report.id, 60s);
  clock.await_a_round();
  EXPECT_EQ(tic() + tac(), 2);
}

TEST_F(StaticPointsLive, AnyKindOfThreadCanBeNamed) {
  std::atomic<bool> ends{false};
  std::atomic<ThreadId> standard_id{};
  std::atomic<ThreadId> posix_id{};
  auto go_round = [&ends](std::atomic<ThreadId>& id) {
    id = this_thread_id();
    while (!ends) {
      static_update_point("top");
      std::this_thread::yield();
    }
  };
  std::jthread standard([&] { go_round(standard_id); });
  const std::function<void()> posix_main = [&] { go_round(posix_id); };
  pthread_t posix{};
  auto call = [](void* main) -> void* { return (*static_cast<const std::function<void()>*>(main))(), nullptr; };
  ASSERT_EQ(::pthread_create(&posix, nullptr, call, const_cast<std::function<void()>*>(&posix_main)), 0);
  while (standard_id.load() == ThreadId{} || posix_id.load() == ThreadId{}) std::this_thread::yield();

  // This thread is the program's first; the manager carries the update out in its own.
  std::atomic<int> at_their_points{0};
  const std::vector<ThreadId> all{standard_id, posix_id, this_thread_id()};
  UpdateHandle handle =
      manager_.add_update(std::make_unique<Told>(Told::Steps{.apply =
                                                                 [&] {
                                                                   for (ThreadId thread : all)
                                                                     at_their_points +=
                                                                         point_of(thread) == "top" ? 1 : 0;
                                                                 }},
                                                 std::vector<std::string>{"top"}, all));
  while (handle.report().state != UpdateState::applied) static_update_point("top");
  EXPECT_EQ(at_their_points, 3);
  ends = true;
  ::pthread_join(posix, nullptr);
}

TEST_F(StaticPointsLive, AThrowFromAnyStepLetsTheThreadsGo) {
  Clock clock;
  auto broken = [] { throw std::runtime_error("broken"); };
  for (const Told::Steps& steps :
       {Told::Steps{.pause_hook = broken}, Told::Steps{.apply = broken}, Told::Steps{.cleanup = broken}}) {
    const UpdateReport report = carry_out(steps);
    EXPECT_EQ(report.state, UpdateState::failed);
    EXPECT_THAT(report.reason, HasSubstr("broken"));
    clock.await_a_round();
  }
}

TEST_F(StaticPointsLive, WhatApplyHasDoneIsUndoneBeforeTheThreadsAreLetGo) {
  Clock clock;
  const UpdateReport report = carry_out(Told::Steps{.apply = [] {
    redefine_both();
    throw std::runtime_error("broken");
  }});
  EXPECT_EQ(report.state, UpdateState::failed);
  clock.await_a_round();
  EXPECT_EQ(clock.torn(), 0);
  EXPECT_EQ(tic() + tac(), 2);
}

TEST_F(StaticPointsLive, WhoeverAsksForTheThreadsIsToldWhereOneStays) {
  Clock clock;
  ThreadsReply reply;
  carry_out(Told::Steps{.pause_hook = [&] { reply = live_threads({}); }});
  for (const ThreadRecord& thread : reply.threads)
    EXPECT_EQ(thread.point, thread.id == static_cast<int>(clock.id()) ? "top" : "") << thread.name;
}

TEST_F(StaticPointsLive, WhereAThreadStaysIsTheProgramsOwnLine) {
  Clock clock;
  ThreadsReply reply;
  carry_out(Told::Steps{.pause_hook = [&] { reply = live_threads({}); }});
  std::vector<std::string> files;
  for (const ThreadRecord& thread : reply.threads)
    for (const FrameRecord& frame : thread.frames)
      if (thread.point == "top") files.push_back(frame.file);
  EXPECT_THAT(files, testing::Contains(testing::EndsWith("static_points_live_test.cpp")));
  EXPECT_THAT(files, testing::Not(testing::Contains(testing::EndsWith("static_points.hpp"))));
}

TEST_F(StaticPointsLive, AnActiveThreadAppliesTheUpdateAtItsPoint) {
  Clock clock(ThreadRole::active);
  std::atomic<ThreadId> applied_in{};
  const UpdateReport report = carry_out(Told::Steps{.apply = [&] {
    applied_in = this_thread_id();
    redefine_both();
  }});
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(applied_in.load(), clock.id());
  EXPECT_GT(report.pause.count(), 0);
  clock.await_a_round();
  EXPECT_EQ(clock.torn(), 0);
  EXPECT_EQ(tic() + tac(), 4);
  roll_back(report.id, 60s);
}

TEST_F(StaticPointsLive, WhatAnActiveThreadThrowsIsUndoneAndDoesNotReachTheProgram) {
  Clock clock(ThreadRole::active);
  const UpdateReport report = carry_out(Told::Steps{.apply = [] {
    redefine_both();
    throw std::runtime_error("broken");
  }});
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("broken"));
  clock.await_a_round();
  EXPECT_EQ(clock.torn(), 0);
  EXPECT_EQ(tic() + tac(), 2);
}

TEST_F(StaticPointsLive, PointsInTheUpdatesOwnWorkArePassed) {
  Clock clock(ThreadRole::active);
  const UpdateReport report = carry_out(
      Told::Steps{.pause_hook = [] { static_update_point("top"); }, .apply = [] { static_update_point("top"); }});
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  clock.await_a_round();
}

TEST_F(StaticPointsLive, AFaultInAnyStepOfTheWaitLetsTheThreadsGo) {
  Clock clock;
  for (const FaultKind kind : {FaultKind::error, FaultKind::out_of_memory})
    for (const char* point : {"setup", "wait"}) {
      SCOPED_TRACE(point);
      const ArmedFault fault(std::string("points.static_points.") + point, 1, kind);
      EXPECT_EQ(carry_out(Told::Steps{}).state, UpdateState::failed);
      EXPECT_TRUE(fault.fired());
      clock.await_a_round();
    }
}

TEST_F(StaticPointsLive, AFaultWhileItIsToldWhoIsMissingLetsTheThreadsGo) {
  const Sleeper sleeper;
  Clock clock;
  Patience impatient = patient();
  impatient.max_tries = 1;
  impatient.sleep_time = 20ms;
  const ArmedFault fault("points.static_points.explain");
  const UpdateReport report =
      carry_out(Told::Steps{}, std::vector<std::string>{"top"}, std::vector<ThreadId>{}, impatient);
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_TRUE(fault.fired());
  clock.await_a_round();
}

TEST_F(StaticPointsLive, AnInlineManagersUpdateIsAppliedInTheThreadThatAsksWhichIsNotWaitedFor) {
  Clock clock;
  std::atomic<bool> is_applied{false};
  Thread owner("owner", [&] {
    Manager manager("inline");
    UpdateHandle handle = manager.add_update(std::make_unique<Told>(Told::Steps{.apply = [&] { is_applied = true; }}));
    while (handle.report().state != UpdateState::applied) {
      static_update_point("top");
      manager.apply_next_update();
    }
  });
  owner.join();
  EXPECT_TRUE(is_applied);
  clock.await_a_round();
}

/// Calls the manager until the thread stays at its point.
void call_until_it_stays(Manager& manager, ThreadId thread) {
  while (!point_of(thread)) manager.apply_next_update();
}

TEST_F(StaticPointsLive, ThreadsGoOnByThemselvesWhenAnInlineManagerIsForgotten) {
  const Sleeper sleeper;
  Clock clock;
  Manager manager("forgotten");
  Patience patience = patient();
  patience.max_tries = 2'000;
  patience.sleep_time = 1ms;
  auto update =
      std::make_unique<Told>(Told::Steps{}, std::vector<std::string>{"top"}, std::vector<ThreadId>{}, patience);
  manager.add_update(std::move(update));
  call_until_it_stays(manager, clock.id());
  clock.await_a_round();
  call_until_it_stays(manager, clock.id());
}

TEST_F(StaticPointsLive, TheEndOfAnInlineManagerLetsTheThreadsGo) {
  const Sleeper sleeper;
  Clock clock;
  {
    Manager manager("ends");
    manager.add_update(std::make_unique<Told>(Told::Steps{}));
    call_until_it_stays(manager, clock.id());
  }
  clock.await_a_round();
}

TEST_F(StaticPointsLive, AnInlineManagersUpdateSaysAfterAWhileWhoIsMissingAndWhereItIs) {
  const Sleeper sleeper;
  Manager manager("says");
  Patience many_tries = patient();
  many_tries.max_tries = 1'000'000;
  UpdateHandle handle = manager.add_update(
      std::make_unique<Told>(Told::Steps{}, std::vector<std::string>{"top"}, std::vector<ThreadId>{}, many_tries));
  std::string reason;
  while (reason.find("has not reached") == std::string::npos) {
    manager.apply_next_update();
    reason = handle.report().reason;
    EXPECT_THAT(reason, AnyOf(IsEmpty(), HasSubstr("sleeper (")));
  }
  EXPECT_THAT(reason, HasSubstr("has not reached static update point \"top\": it is in "));
}

TEST_F(StaticPointsLive, AChildOfForkPassesThePointsThatItsParentWaitsAt) {
  Clock clock;
  int status = -1;
  const UpdateReport report = carry_out(Told::Steps{.pause_hook = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      std::thread([] { static_update_point("top"); }).join();
      ::_exit(point_registry().with([](auto& board) { return board.count(); }) == 0 ? 0 : 1);
    }
    ::waitpid(child, &status, 0);
  }});
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  clock.await_a_round();
}

TEST_F(StaticPointsLive, AThreadThatBeginsWhenAllHaveReachedTheirPointsWaitsBeforeItsMain) {
  Clock clock;
  std::atomic<bool> has_begun{false};
  std::atomic<bool> had_begun_in_apply{true};
  std::optional<Thread> late;
  const UpdateReport report =
      carry_out(Told::Steps{.pause_hook = [&] { late.emplace("late", [&has_begun] { has_begun = true; }); },
                            .apply = [&] { had_begun_in_apply = has_begun.load(); }});
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  late->join();
  EXPECT_FALSE(had_begun_in_apply);
  EXPECT_TRUE(has_begun);
}

TEST_F(StaticPointsLive, AThreadOfMoultsThatEndsIsNotWaitedForAnyMore) {
  Clock clock;
  std::latch may_end(1);
  Thread other("other", [&may_end] { may_end.wait(); });
  UpdateHandle handle = manager_.add_update(std::make_unique<Told>(Told::Steps{}));
  while (!point_of(clock.id())) std::this_thread::yield();
  EXPECT_NE(handle.report().state, UpdateState::applied);
  may_end.count_down();
  EXPECT_EQ(handle.wait(60s).state, UpdateState::applied);
}

}  // namespace subject
}  // namespace moult::internal
