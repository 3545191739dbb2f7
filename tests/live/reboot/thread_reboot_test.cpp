// A moult::Thread leaves its main function at a static update point, and runs another one or the same anew.
#include <cxxabi.h>

#include <stdexcept>

#include "base/fault.hpp"
#include "moult/relinking.hpp"
#include "moult/return_barrier.hpp"
#include "reboot.hpp"

namespace moult::reboot_test {

using namespace internal;

// clang makes a MOULT_UPDATABLE function weak, which a local one cannot be.
MOULT_UPDATABLE int version() { return 1; }
MOULT_UPDATABLE int version_two() { return 2; }

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::atomic<int> old_rounds = 0;
std::atomic<bool> has_begun_anew = false;
std::mutex mutex;

void go_round() {
  while (!is_to_end) {
    static_update_point("round");
    ++old_rounds;
    std::this_thread::yield();
  }
}

void new_main(const std::string& word) {
  trace.add("new main: " + word);
  has_begun_anew = true;
  await(is_to_end);
}

[[gnu::noinline]] void work() {
  const Guard guard("work");
  const std::lock_guard lock(mutex);
  go_round();
}

void old_main() {
  const Guard guard("old main");
  work();
  trace.add("old main goes on");
}

class ThreadReboot : public testing::Test {
 protected:
  void SetUp() override {
    trace.clear();
    is_to_end = false;
    has_begun_anew = false;
  }
  /// The subject's thread is to be made after this: it is joined before.
  struct End {
    ~End() { is_to_end = true; }
  };
};

TEST_F(ThreadReboot, AnotherMainFunctionRunsAndTheOldOnesDestructorsHaveRun) {
  Thread thread("subject", old_main);
  const End end;
  const ThreadId id = thread.id();
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", id, new_main, "hello")));
  await(has_begun_anew);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "~old main", "new main: hello"));
  EXPECT_EQ(thread.id(), id);
  EXPECT_EQ(get_thread_by_name("subject"), id);
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

void counting_main(std::atomic<int>* runs, int argument) {
  const Guard guard("run");
  *runs += argument;
  go_round();
}

TEST_F(ThreadReboot, AThreadThatIsResetRunsItsMainFunctionAnewWithItsArguments) {
  std::atomic<int> runs = 0;
  Thread thread("subject", counting_main, &runs, 10);
  const End end;
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reset", thread.id())));
  while (runs < 20) std::this_thread::yield();
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reset again", thread.id())));
  while (runs < 30) std::this_thread::yield();
  EXPECT_EQ(runs, 30);
}

class BothCalls final : public StaticPointUpdate {
 public:
  enum class First { switch_main, reset_thread };
  BothCalls(ThreadId thread, First first) : StaticPointUpdate("both", {"round"}, {thread}), first_(first) {}
  void apply() override {
    const ThreadId thread = threads().front();
    if (first_ == First::reset_thread) reset_thread(thread);
    switch_main(thread, new_main, "hello");
    if (first_ == First::switch_main) reset_thread(thread);
    if (fails_) throw std::runtime_error("on purpose");
  }
  bool wait_over() override { return wait_departures(patience()); }
  void fail() { fails_ = true; }

 private:
  First first_;
  bool fails_ = false;
};

class ThreadRebootByBothCalls : public ThreadReboot, public testing::WithParamInterface<BothCalls::First> {};
INSTANTIATE_TEST_SUITE_P(Orders, ThreadRebootByBothCalls,
                         testing::Values(BothCalls::First::switch_main, BothCalls::First::reset_thread),
                         [](const auto& each) {
                           return each.param == BothCalls::First::switch_main ? "SwitchMainFirst" : "ResetThreadFirst";
                         });

TEST_P(ThreadRebootByBothCalls, TheNewMainFunctionRunsOnce) {
  Thread thread("subject", old_main);
  const End end;
  const UpdateReport report = carry_out(std::make_unique<BothCalls>(thread.id(), GetParam()));
  expect_applied(report);
  await(has_begun_anew);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "~old main", "new main: hello"));
  EXPECT_THAT(report.changes.back(), HasSubstr("restarted with another main function"));
}

TEST_P(ThreadRebootByBothCalls, AnUpdateThatFailsLeavesTheThreadAlone) {
  Thread thread("subject", old_main);
  const End end;
  auto failing = std::make_unique<BothCalls>(thread.id(), GetParam());
  failing->fail();
  EXPECT_EQ(carry_out(std::move(failing)).state, UpdateState::failed);
  const int before = old_rounds;
  while (old_rounds == before) std::this_thread::yield();
  EXPECT_THAT(trace.lines(), testing::IsEmpty());
}

TEST_F(ThreadReboot, AnActiveThreadTellsItselfToBeginAnew) {
  Thread thread(ThreadOptions{.name = "subject", .role = ThreadRole::active}, old_main);
  const End end;
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "hello")));
  await(has_begun_anew);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "~old main", "new main: hello"));
}

TEST_F(ThreadReboot, AMainFunctionThatEndsEndsTheThread) {
  Thread thread("subject", old_main);
  const End end;
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), [] { trace.add("short"); })));
  thread.join();
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "~old main", "short"));
}

TEST_F(ThreadReboot, OnlyTheNamedPointIsWaitedFor) {
  Thread thread("subject", old_main);
  const End end;
  auto elsewhere = std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "never");
  elsewhere->set_points({"elsewhere"});
  elsewhere->set_patience({.max_tries = 1, .sleep_time = 50ms, .stop_timeout = 20s, .max_postponements = 0});
  const UpdateReport report = threaded_manager("reboot").add_update(std::move(elsewhere)).wait(120s);
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("elsewhere"));
  auto here = std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "here");
  here->set_points({"round"});
  expect_applied(carry_out(std::move(here)));
  await(has_begun_anew);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "~old main", "new main: here"));
}

TEST_F(ThreadReboot, AReturnBarrierOnTheWayLetsItThroughAndIsTold) {
  Thread thread("subject", old_main);
  const End end;
  for (const int before = old_rounds; old_rounds == before;) std::this_thread::yield();
  ReturnBarrier barrier({AnyFunction(work)});
  EXPECT_EQ(barrier.in_progress(), 1u);
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "hello")));
  await(has_begun_anew);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "~old main", "new main: hello"));
  EXPECT_TRUE(barrier.wait(120s));
}

void rethrowing_main() {
  try {
    work();
  } catch (...) {
    trace.add("handler");
    throw;
  }
}

TEST_F(ThreadReboot, AHandlerThatThrowsOnIsRunThrough) {
  Thread thread("subject", rethrowing_main);
  const End end;
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "hello")));
  await(has_begun_anew);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "handler", "new main: hello"));
}

[[gnu::noinline]] void swallow() {
  try {
    work();
  } catch (...) {
    trace.add("swallowed");
  }
  while (!is_to_end) std::this_thread::yield();
}

/// Leaves its thread's main function, and has redefined a function before.
class RedefinesToo final : public ThreadRebootUpdate {
 public:
  explicit RedefinesToo(ThreadId thread) : ThreadRebootUpdate("swallowed", thread, new_main, "never") {}
  void apply() override {
    redefine_function(version, version_two);
    ThreadRebootUpdate::apply();
  }
};

TEST_F(ThreadReboot, AHandlerThatKeepsTheUnwindingIsNamedAndTheRestOfTheUpdateUndone) {
  Thread thread("subject", [] { swallow(); });
  const End end;
  const UpdateReport report = carry_out(std::make_unique<RedefinesToo>(thread.id()));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::still_active);
  EXPECT_THAT(report.reason, HasSubstr("swallow()"));
  EXPECT_THAT(report.reason, HasSubstr("thread_reboot_test.cpp:"));
  EXPECT_THAT(report.reason, HasSubstr("has ended the unwinding"));
  EXPECT_THAT(report.changes, testing::IsEmpty());
  EXPECT_EQ(version(), 1);
  EXPECT_THAT(trace.lines(), ElementsAre("~work", "swallowed"));
}

class Fails final : public ThreadRebootUpdate {
 public:
  Fails(ThreadId thread) : ThreadRebootUpdate("fails", thread, new_main, "never") {}
  void preresume_setup() override { throw Error(ErrorCode::internal, "on purpose"); }
};

TEST_F(ThreadReboot, AnUpdateThatFailsBeforeTheThreadIsLetGoLeavesItWhereItIs) {
  Thread thread("subject", old_main);
  const End end;
  const UpdateReport report = carry_out(std::make_unique<Fails>(thread.id()));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("on purpose"));
  for (const int before = old_rounds; old_rounds < before + 10;) std::this_thread::yield();
  EXPECT_THAT(trace.lines(), testing::IsEmpty());
}

TEST_F(ThreadReboot, WhatHasLeftCannotBeTakenBack) {
  Thread thread("subject", old_main);
  const End end;
  const UpdateReport report = carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "hello"));
  expect_applied(report);
  try {
    roll_back(report.id);
    ADD_FAILURE() << "was rolled back";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("has left its main function"));
  }
  EXPECT_TRUE(is_applied("reboot"));
}

/// The static update point is in a handler, and on the way out there is a handler for everything.
void handling_main() {
  try {
    try {
      throw 1;
    } catch (int) {
      try {
        work();
      } catch (...) {
        throw;
      }
    }
  } catch (const std::exception&) {
    trace.add("never");
  }
}

TEST_F(ThreadReboot, OutOfAHandlerByAHandlerForEverythingTheThreadIsNotTaken) {
  Thread thread("subject", handling_main);
  const End end;
  const UpdateReport report = carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "never"));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("its static update point lies in a handler"));
  for (const int before = old_rounds; old_rounds < before + 10;) std::this_thread::yield();
  EXPECT_THAT(trace.lines(), testing::IsEmpty());
}

TEST_F(ThreadReboot, AThreadThatEndsMeanwhileIsToldToBeGone) {
  auto thread = std::make_unique<Thread>("subject", [] { await(is_to_end); });
  const ThreadId id = thread->id();
  auto update = std::make_unique<ThreadRebootUpdate>("reboot", id, new_main, "never");
  update->set_patience({.max_tries = 60, .sleep_time = 1s, .stop_timeout = 20s, .max_postponements = 0});
  UpdateHandle handle = threaded_manager("reboot").add_update(std::move(update));
  is_to_end = true;
  thread.reset();
  const UpdateReport report = handle.wait(120s);
  EXPECT_TRUE(report.state == UpdateState::failed || report.state == UpdateState::refused);
  EXPECT_EQ(report.code, ErrorCode::not_found) << report.reason;
}

TEST_F(ThreadReboot, ManyThreadsBeginAnewManyTimes) {
  constexpr int thread_count = 4;
  constexpr int rounds = 25;
  std::atomic<int> runs = 0;
  std::vector<Thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back("subject", counting_main, &runs, 1);
  {
    const End end;
    for (int round = 0; round < rounds; ++round)
      for (Thread& thread : threads)
        expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("again", thread.id())));
  }
  threads.clear();
  EXPECT_EQ(runs, thread_count * (rounds + 1));
}

/// Every point where something may fail, made to fail: the thread goes on in its old code, and can be rebooted later.
TEST_F(ThreadReboot, WhatFailsLeavesTheThreadWhereItIs) {
  Thread thread("subject", old_main);
  const End end;
  for (const std::string_view point : fault_points()) {
    if (!point.starts_with("reboot.pending_exit") && !point.starts_with("reboot.thread_restart") &&
        !point.starts_with("recipes.thread_reboot") && !point.starts_with("reboot.exits"))
      continue;
    for (const FaultKind kind : {FaultKind::error, FaultKind::out_of_memory}) {
      const ArmedFault fault(point, 1, kind);
      const UpdateReport report =
          carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "never"));
      EXPECT_TRUE(fault.fired()) << point;
      EXPECT_TRUE(report.state == UpdateState::failed || report.state == UpdateState::refused) << point;
      for (const int before = old_rounds; old_rounds < before + 3;) std::this_thread::yield();
      EXPECT_THAT(trace.lines(), testing::IsEmpty()) << point;
    }
  }
  expect_applied(carry_out(std::make_unique<ThreadRebootUpdate>("reboot", thread.id(), new_main, "hello")));
  await(has_begun_anew);
}

}  // namespace
}  // namespace moult::reboot_test
