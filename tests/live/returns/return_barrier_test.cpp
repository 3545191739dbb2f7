// Calls that return through a barrier: what they return, throw and leave in registers arrives, and it is told.
#include "moult/return_barrier.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "control/live.hpp"
#include "moult/alterability.hpp"
#include "moult/manager.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "subject.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult {
namespace subject {

using namespace internal;

using namespace std::chrono_literals;

/// Runs `call(room)` in a thread of its own, which stays in the room until let go.
class Caller final {
 public:
  explicit Caller(std::function<void(Room&)> call) : thread_([this, call = std::move(call)] { call(room_); }) {
    room_.entered.acquire();
  }
  ~Caller() { finish(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  Room& room() { return room_; }
  void finish() {
    if (!thread_.joinable()) return;
    room_.leave.release();
    thread_.join();
  }

 private:
  Room room_;
  std::thread thread_;
};

bool is_any_return_address_changed() {
  bool found = false;
  in_stopped_world({}, [&found](const StoppedWorld& stopped) {
    stopped.walk_all([&found](ThreadId, const Frame& frame) {
      found = found || (frame.is_precise && is_in_return_stub(frame.pc));
      return true;
    });
  });
  return found;
}

TEST(ReturnBarrier, IsToldWhenTheCallHasReturned) {
  int result = 0;
  Caller caller([&result](Room& room) { result = stays(room, 42); });
  ReturnBarrier barrier({stays});
  EXPECT_EQ(barrier.in_progress(), 1u);
  EXPECT_FALSE(barrier.wait(1ms));
  caller.room().leave.release();
  EXPECT_TRUE(barrier.wait(60s));
  caller.room().leave.release();
  caller.finish();
  EXPECT_EQ(result, 42);
}

/// Of the thread that is in a call of `stays`: that one and those around it, as the command shows them.
std::vector<std::string> shown_functions(const ThreadsRequest& request) {
  std::vector<std::string> functions;
  for (const ThreadRecord& thread : live_threads(request).threads) {
    for (const FrameRecord& frame : thread.frames)
      if (!functions.empty() || frame.function.find("subject::stays") != std::string::npos)
        functions.push_back(frame.function);
    if (!functions.empty()) break;
  }
  return functions;
}

TEST(ReturnBarrier, WhoeverAsksForTheStacksIsShownTheProgramsCallsAlone) {
  Caller caller([](Room& room) { stays(room, 42); });
  const std::vector<std::string> before = shown_functions({});
  const std::vector<std::string> with_variables = shown_functions({.locals = true});
  ReturnBarrier barrier({stays});
  ASSERT_TRUE(is_any_return_address_changed());
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(shown_functions({}), before);
  EXPECT_EQ(shown_functions({.locals = true}), with_variables);
}

TEST(ReturnBarrier, WaitsForTheOutermostOfRecursiveCalls) {
  Room after;
  Room half_way_out;
  half_way = &half_way_out;
  int result = 0;
  Caller caller([&](Room& room) {
    result = recurses(room, 20);
    after.stay();
  });
  ReturnBarrier barrier({recurses});
  EXPECT_EQ(barrier.in_progress(), 1u);
  const std::uint32_t told_before = told_returns();
  caller.room().leave.release();
  half_way_out.entered.acquire();
  EXPECT_FALSE(barrier.wait(50ms)) << "it waited for the innermost";
  half_way = nullptr;
  half_way_out.leave.release();
  EXPECT_TRUE(barrier.wait(60s));
  EXPECT_EQ(told_returns() - told_before, 1u);
  after.entered.acquire();
  EXPECT_FALSE(is_function_in_any_stack(recurses));
  after.leave.release();
  caller.finish();
  EXPECT_EQ(result, 20);
}

TEST(ReturnBarrier, ACallThatBeginsLaterIsNotWaitedFor) {
  ReturnBarrier barrier({stays});
  Caller caller([](Room& room) { stays(room, 1); });
  EXPECT_EQ(barrier.in_progress(), 0u);
  EXPECT_TRUE(barrier.wait(60s));
}

/// What the call returns with a barrier in its way.
template <class Result>
Result through_barrier(Result (*function)(Room&)) {
  std::optional<Result> result;
  Caller caller([&](Room& room) { result.emplace(function(room)); });
  ReturnBarrier barrier({function});
  EXPECT_EQ(barrier.in_progress(), 1u);
  caller.room().leave.release();
  EXPECT_TRUE(barrier.wait(60s));
  caller.finish();
  return *result;
}

TEST(ReturnBarrier, EveryKindOfResultArrives) {
  EXPECT_EQ(through_barrier(returns_double), 1.5);
  EXPECT_EQ(through_barrier(returns_long_double), 2.25L);
  const Pair pair = through_barrier(returns_pair);
  EXPECT_EQ(pair.first, 11);
  EXPECT_EQ(pair.second, 22);
  const Mixed mixed = through_barrier(returns_mixed);
  EXPECT_EQ(mixed.real, 0.5);
  EXPECT_EQ(mixed.whole, 33);
  const Wide wide = through_barrier(returns_in_memory);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(wide.numbers[i], i + 1);
  EXPECT_EQ(through_barrier(returns_object), "an object that is longer than what fits into it");
}

TEST(ReturnBarrier, TheCallersRegistersStayAsTheyWere) {
  long result = 0;
  Caller caller([&result](Room& room) { result = keeps_registers(room, 1000); });
  ReturnBarrier barrier({stays});
  ASSERT_EQ(barrier.in_progress(), 1u);
  caller.finish();
  EXPECT_TRUE(barrier.wait(60s));
  EXPECT_EQ(result, 1001 + 3000 + (1000 ^ 0x55) + 993 + 1100 + 9);
}

TEST(ReturnBarrier, AnExceptionPassesItAndIsToldOf) {
  for (const AnyFunction& function : {AnyFunction(throws), AnyFunction(throws_through)}) {
    std::string caught;
    int destroyed = 0;
    Caller caller([&](Room& room) { caught = catches(room, destroyed); });
    ReturnBarrier barrier({function});
    ASSERT_EQ(barrier.in_progress(), 1u);
    caller.finish();
    EXPECT_TRUE(barrier.wait(60s));
    EXPECT_EQ(caught, "trouble");
    EXPECT_EQ(destroyed, 2);
  }
}

TEST(ReturnBarrier, SeveralBarriersStandOnOneStack) {
  std::string caught;
  int destroyed = 0;
  Caller caller([&](Room& room) { caught = catches(room, destroyed); });
  ReturnBarrier inner({throws});
  ReturnBarrier middle({throws_through});
  ReturnBarrier same({throws});
  ReturnBarrier outer({catches});
  EXPECT_EQ(inner.in_progress() + middle.in_progress() + same.in_progress() + outer.in_progress(), 4u);
  caller.finish();
  EXPECT_TRUE(inner.wait(60s) && middle.wait(60s) && same.wait(60s) && outer.wait(60s));
  EXPECT_EQ(caught, "trouble");
  EXPECT_EQ(destroyed, 2);
}

TEST(ReturnBarrier, ABarrierThatEndsLeavesTheCallToAnother) {
  Caller caller([](Room& room) { stays(room, 1); });
  ReturnBarrier kept({stays});
  { const ReturnBarrier ended({stays}); }
  EXPECT_EQ(kept.in_progress(), 1u);
  EXPECT_TRUE(is_any_return_address_changed());
  caller.room().leave.release();
  EXPECT_TRUE(kept.wait(60s));
}

TEST(ReturnBarrier, ALongJumpOverItIsFoundOut) {
  int result = 0;
  Caller caller([&](Room& room) { result = jumps_out(room); });
  ReturnBarrier barrier({jumps});
  ASSERT_EQ(barrier.in_progress(), 1u);
  caller.room().leave.release();
  caller.room().entered.acquire();
  EXPECT_TRUE(barrier.wait(60s));
  caller.finish();
  EXPECT_EQ(result, 5);
}

TEST(ReturnBarrier, AThreadThatEndsIsToldOf) {
  for (bool is_cancelled : {false, true}) {
    Room room;
    struct Order {
      Room& room;
      bool is_cancelled;
      std::atomic<int> destroyed{0};
    } order{.room = room, .is_cancelled = is_cancelled};
    pthread_t thread{};
    auto body = [](void* data) -> void* {
      Order& todo = *static_cast<Order*>(data);
      ends_thread(todo.room, todo.is_cancelled, todo.destroyed);
      return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, nullptr, body, &order), 0);
    room.entered.acquire();
    ReturnBarrier barrier({ends_thread});
    ASSERT_EQ(barrier.in_progress(), 1u);
    if (is_cancelled)
      pthread_cancel(thread);
    else
      room.leave.release();
    EXPECT_TRUE(barrier.wait(60s));
    void* result = nullptr;
    pthread_join(thread, &result);
    EXPECT_EQ(order.destroyed, 1);
    EXPECT_EQ(result == PTHREAD_CANCELED, is_cancelled);
  }
}

/// The calls of `stays` on a signal's own stack, and below it.
Room* room_of_handler = nullptr;
MOULT_UPDATABLE void stays_in_handler(int) {
  stays(*room_of_handler, 3);
  asm volatile("");
}

int raises_inside(Room& room) {
  std::vector<char> memory(1 << 16);
  stack_t own{};
  own.ss_sp = memory.data();
  own.ss_size = memory.size();
  stack_t before{};
  sigaltstack(&own, &before);
  struct sigaction action {};
  action.sa_handler = stays_in_handler;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR2, &action, nullptr);
  room_of_handler = &room;
  const int result = raises(SIGUSR2);
  sigaltstack(&before, nullptr);
  return result;
}

TEST(ReturnBarrier, StandsBelowAndOnASignalsOwnStack) {
  for (const AnyFunction& function : {AnyFunction(stays), AnyFunction(raises), AnyFunction(stays_in_handler)}) {
    int result = 0;
    Caller caller([&result](Room& room) { result = raises_inside(room); });
    ReturnBarrier barrier({function});
    ASSERT_EQ(barrier.in_progress(), 1u);
    caller.finish();
    EXPECT_TRUE(barrier.wait(60s));
    EXPECT_EQ(result, 8);
  }
}

TEST(ReturnBarrier, WhoeverIsLetGoHasItsReturnAddressBack) {
  int result = 0;
  Caller caller([&result](Room& room) { result = calls_stays(room, 4); });
  {
    ReturnBarrier outer({calls_stays});
    {
      ReturnBarrier barrier({stays});
      const ReturnBarrier same({stays});
      EXPECT_TRUE(is_any_return_address_changed());
    }
    EXPECT_TRUE(is_any_return_address_changed());
  }
  EXPECT_FALSE(is_any_return_address_changed());
  caller.finish();
  EXPECT_EQ(result, 5);
}

TEST(ReturnBarrier, TheWalkComesThroughToTheCaller) {
  Caller caller([](Room& room) { calls_stays(room, 4); });
  EXPECT_TRUE(is_function_in_any_stack(calls_stays));
  const ReturnBarrier barrier({stays});
  EXPECT_TRUE(is_function_in_any_stack(stays));
  EXPECT_TRUE(is_function_in_any_stack(calls_stays));
}

TEST(ReturnBarrier, ManyThreadsAreWaitedForTogether) {
  constexpr int count = 100;
  Room room;
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { sum += stays(room, i); });
  for (int i = 0; i < count; ++i) room.entered.acquire();
  ReturnBarrier barrier({stays});
  EXPECT_EQ(barrier.in_progress(), std::size_t{count});
  room.leave.release(count - 1);
  EXPECT_FALSE(barrier.wait(20ms));
  room.leave.release();
  EXPECT_TRUE(barrier.wait(60s));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, count * (count - 1) / 2);
}

/// Threads that return and throw through barriers which are made, waited for and let go at any moment of theirs.
TEST(ReturnBarrier, BarriersComeAndGoUnderCallsThatReturnAndThrow) {
  std::atomic<long> wrong{0};
  std::array<std::atomic<long>, 4> calls{};
  std::vector<std::jthread> callers;
  for (std::atomic<long>& count : calls)
    callers.emplace_back([&](std::stop_token token) {
      Room open;
      while (!token.stop_requested()) {
        open.leave.release();
        int destroyed = 0;
        if (count % 2 == 0 && recurses(open, 5) != 5) ++wrong;
        if (count % 2 != 0 && (catches(open, destroyed) != "trouble" || destroyed != 2)) ++wrong;
        ++count;
      }
    });
  const int rounds = std::getenv("MOULT_SOAK") != nullptr ? 2000 : 40;
  for (int round = 0; round < rounds; ++round) {
    ReturnBarrier barrier({recurses, throws, throws_through});
    if (round % 2 == 0) {
      EXPECT_TRUE(barrier.wait(60s));
    }
  }
  for (std::atomic<long>& count : calls)
    for (const long before = count; count < before + 2;) std::this_thread::yield();
  for (std::jthread& caller : callers) caller.request_stop();
  callers.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_FALSE(is_any_return_address_changed());
}

int stays_v2(Room&, int result) { return -result; }

/// Waits with return barriers, as long as it takes.
class RedefinesStays final : public Update {
 public:
  RedefinesStays() : Update("stays") { set_patience({.max_tries = 60, .max_postponements = 0}); }
  bool wait_alterability() override { return wait_return_of_functions({stays, recurses}, patience()); }
  void apply() override { redefine_function(stays, stays_v2); }
};

TEST(ReturnBarrier, AnUpdateIsInForceOnceTheLastCallHasReturned) {
  ThreadedManager manager("returns");
  {
    int first = 0;
    int second = 0;
    Caller one([&first](Room& room) { first = stays(room, 1); });
    Caller other([&second](Room& room) { second = recurses(room, 2); });
    const UpdateHandle handle = manager.add_update(std::make_unique<RedefinesStays>());
    while (handle.wait(1ms).state == UpdateState::queued) {
    }
    one.finish();
    EXPECT_EQ(handle.wait(1ms).state, UpdateState::active);
    other.finish();
    const UpdateReport report = handle.wait(60s);
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    Room unused;
    EXPECT_EQ(stays(unused, 3), -3);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
    roll_back(report.id);
  }
}

TEST(ReturnBarrier, AnUpdateWhosePatienceRunsOutNamesTheCallAndPutsBackWhatItChanged) {
  class Impatient final : public Update {
   public:
    Impatient() : Update("impatient") {
      set_patience({.max_tries = 2, .sleep_time = 10ms, .stop_timeout = 20s, .max_postponements = 0});
    }
    bool wait_alterability() override { return wait_return_of_function(stays, patience()); }
    void apply() override { redefine_function(stays, stays_v2); }
  };
  ThreadedManager manager("returns");
  Caller caller([](Room& room) { stays(room, 1); });
  const UpdateReport report = manager.add_update(std::make_unique<Impatient>()).wait(60s);
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_NE(report.reason.find("subject::stays(moult::subject::Room&, int) is active in"), std::string::npos)
      << report.reason;
  EXPECT_FALSE(is_any_return_address_changed());
}

}  // namespace subject
}  // namespace moult
