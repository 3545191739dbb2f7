// Entries with gates: who waits, who passes, and what becomes of those who waited.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "code/decoder.hpp"
#include "gate_subject.hpp"
#include "moult/alterability.hpp"
#include "moult/error.hpp"
#include "moult/manager.hpp"

namespace moult {
namespace subject {

using namespace std::chrono_literals;

/// Forces quiescence of some functions, and then acts.
class Forced final : public Update {
 public:
  Forced(std::vector<AnyFunction> functions, std::function<void()> act, int tries = 60)
      : Update("forced"), functions_(std::move(functions)), act_(std::move(act)) {
    set_patience({.max_tries = tries, .sleep_time = 1000ms, .stop_timeout = 20s, .max_postponements = 0});
  }
  void preupdate_setup() override { setup_force_quiescence(functions_, patience()); }
  bool wait_alterability() override {
    closed.release();
    return wait_force_quiescence(patience());
  }
  bool check_alterability() override { return check_force_quiescence(patience()); }
  void clean_failed_alterability() override { clean_failed_force_quiescence(); }
  void apply() override { act_(); }
  void cleanup() override { clean_force_quiescence(); }

  static inline std::counting_semaphore<> closed{0};  ///< released when the entries are closed

 private:
  std::vector<AnyFunction> functions_;
  std::function<void()> act_;
};

class ForcedQuiescence : public testing::Test {
 protected:
  UpdateHandle begin(std::vector<AnyFunction> functions, std::function<void()> act, int tries = 60) {
    UpdateHandle handle = manager_.add_update(std::make_unique<Forced>(std::move(functions), std::move(act), tries));
    Forced::closed.acquire();
    return handle;
  }
  static void expect_applied(const UpdateReport& report) {
    EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  }

  ThreadedManager manager_{"forced"};
};

TEST_F(ForcedQuiescence, CallsFromOutsideWaitAndRecursiveOnesPass) {
  Room room;
  long inside_result = 0;
  std::thread inside([&] { inside_result = descends(room, 3); });
  room.entered.acquire();
  const UpdateHandle handle = begin({descends}, [] { redefine_function(descends, descends_v2); });
  std::future<long> outside = std::async(std::launch::async, [&] { return descends(room, 5); });
  EXPECT_EQ(outside.wait_for(10ms), std::future_status::timeout);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  EXPECT_EQ(inside_result, 4);
  EXPECT_EQ(outside.get(), -5);
  roll_back(handle.id());
}

TEST_F(ForcedQuiescence, WhatAWaitingThreadCarriesInItsRegistersArrives) {
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  const UpdateHandle handle = begin({stays, takes_much, takes_any}, [] {
    redefine_function(takes_much, takes_much_v2);
    redefine_function(takes_any, takes_any_v2);
  });
  std::future<double> much = std::async(
      std::launch::async, [] { return takes_much(1, 2, 3, 4, 5, 6, .5, 1.5F, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8, 9.5); });
  std::future<double> any =
      std::async(std::launch::async, [] { return takes_any(9, 1., 2., 3., 4., 5., 6., 7., 8., 9.5); });
  EXPECT_EQ(much.wait_for(10ms), std::future_status::timeout);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  EXPECT_EQ(any.get(), -45.5);
  const double fresh = much.get();
  roll_back(handle.id());
  EXPECT_EQ(fresh, -takes_much(1, 2, 3, 4, 5, 6, .5, 1.5F, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8, 9.5));
  EXPECT_EQ(takes_any(2, 1.5, 2.), 3.5);
}

TEST_F(ForcedQuiescence, WideVectorsArriveWhole) {
  if (!has_wide_vectors()) GTEST_SKIP() << "the processor has no AVX";
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  const UpdateHandle handle = begin({stays, AnyFunction(address_of_takes_wide(), "takes_wide")}, [] {});
  std::future<double> outside = std::async(std::launch::async, calls_takes_wide);
  EXPECT_EQ(outside.wait_for(10ms), std::future_status::timeout);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  EXPECT_EQ(outside.get(), 36);
}

TEST_F(ForcedQuiescence, FunctionsThatCallEachOtherComeToAnEnd) {
  Room room;
  long inside_result = 0;
  std::thread inside([&] { inside_result = descends(room, 3) + ping(4); });
  room.entered.acquire();
  const UpdateHandle handle = begin({descends, ping, pong}, [] {
    redefine_function(ping, ping_v2);
    redefine_function(pong, pong_v2);
  });
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  EXPECT_TRUE(inside_result == 4 + 5000 || inside_result == 4 + 5) << inside_result;
  roll_back(handle.id());
}

/// Threads that are nearly always inside functions that call each other: what a call is made of is never mixed.
TEST_F(ForcedQuiescence, NoCallIsMadeOfTwoVersionsUnderFourThreads) {
  constexpr long depth = 20;
  std::atomic<long> mixed{0};
  std::array<std::atomic<long>, 4> calls{};
  std::vector<std::jthread> callers;
  for (std::atomic<long>& count : calls)
    callers.emplace_back([&](std::stop_token token) {
      while (!token.stop_requested()) {
        const long result = count % 2 == 0 ? ping(depth) : pong(depth);
        if (result != depth + 1 && result != 1000 * (depth + 1)) ++mixed;
        ++count;
        std::this_thread::yield();
      }
    });
  callers.emplace_back([&](std::stop_token token) {  // threads that begin and end meanwhile
    while (!token.stop_requested())
      std::thread([&mixed] {
        const long result = ping(depth);
        if (result != depth + 1 && result != 1000 * (depth + 1)) ++mixed;
      }).join();
  });
  const int rounds = std::getenv("MOULT_SOAK") != nullptr ? 200 : 6;
  for (int round = 0; round < rounds; ++round) {
    const bool is_even = round % 2 == 0;
    const UpdateHandle handle = begin({ping, pong}, [is_even] {
      redefine_function(ping, is_even ? ping_v2 : ping_v3);
      redefine_function(pong, is_even ? pong_v2 : pong_v3);
    });
    const UpdateReport report = handle.wait(60s);
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    EXPECT_EQ(ping(depth), (is_even ? 1000 : 1) * (depth + 1));
    for (std::atomic<long>& count : calls)
      for (const long before = count; count < before + 2;) std::this_thread::yield();
  }
  for (std::jthread& caller : callers) caller.request_stop();
  callers.clear();
  EXPECT_EQ(mixed, 0);
}

TEST_F(ForcedQuiescence, AFailedWaitLetsEverybodyGoOnInTheOldFunction) {
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  Counts counted;
  const UpdateHandle handle = begin(
      {stays, counts}, [] { redefine_function(counts, counts_v2); }, 1);
  std::future<long> outside = std::async(std::launch::async, [&] { return counts(counted); });
  const UpdateReport report = handle.wait(60s);
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, testing::HasSubstr("stays(moult::subject::Room&, int) is active in"));
  EXPECT_EQ(outside.get(), 1);
  EXPECT_EQ(counted.old, 1);
  room.leave.release();
  inside.join();
}

TEST_F(ForcedQuiescence, AnExceptionFromInsideCountsAsTheEndOfItsCall) {
  Room room;
  std::string caught;
  std::thread inside([&] {
    try {
      throws_deep(room, 3);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  });
  room.entered.acquire();
  const UpdateHandle handle = begin({throws_deep}, [] {});
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  EXPECT_EQ(caught, "deep trouble");
}

MOULT_UPDATABLE long calls_counts(Counts& counted) {
  const volatile long result = counts(counted);
  return result;
}

TEST_F(ForcedQuiescence, AWaitingThreadShowsItsCallersAndDoesNotCountAsInside) {
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  Counts counted;
  const UpdateHandle handle = begin({stays, counts}, [] {});
  std::thread outside([&] { calls_counts(counted); });
  while (!is_function_in_any_stack(calls_counts)) std::this_thread::yield();
  EXPECT_FALSE(is_function_in_any_stack(counts));
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  outside.join();
  EXPECT_EQ(counted.old, 1);
}

TEST_F(ForcedQuiescence, AThreadIsCancelledOnlyBehindTheGate) {
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  static Counts counted;
  const UpdateHandle handle = begin({stays, counts}, [] { redefine_function(counts, counts_v2); });
  pthread_t waiting{};
  auto body = [](void*) -> void* {
    counts(counted);
    pthread_testcancel();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&waiting, nullptr, body, nullptr), 0);
  pthread_cancel(waiting);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  void* result = nullptr;
  pthread_join(waiting, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  EXPECT_EQ(counted.fresh + counted.old, 1);
  roll_back(handle.id());
}

TEST_F(ForcedQuiescence, AThreadThatIsCancelledAsynchronouslyEndsAtTheGate) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer is not told that pthread_cancel unwinds, and takes the stack for what it was";
#endif
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  static Counts counted;
  static std::atomic<bool> is_ready{false};
  const UpdateHandle handle = begin({stays, counts}, [] {});
  pthread_t waiting{};
  auto body = [](void*) -> void* {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
    is_ready = true;
    calls_counts(counted);
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&waiting, nullptr, body, nullptr), 0);
  while (!is_ready || !is_function_in_any_stack(calls_counts)) std::this_thread::yield();
  pthread_cancel(waiting);
  void* result = nullptr;
  pthread_join(waiting, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  EXPECT_EQ(counted.old, 0);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
}

TEST_F(ForcedQuiescence, AChildProcessPasses) {
  Room room;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  Counts counted;
  const UpdateHandle handle = begin({stays, counts}, [] {});
  const pid_t child = ::fork();
  if (child == 0) ::_exit(counts(counted) == 1 ? 7 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
}

TEST_F(ForcedQuiescence, AnInlineManagerProbesWhileTheEntriesStayClosed) {
  Room room;
  Counts counted;
  Manager manager("inline");
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  const UpdateHandle handle = manager.add_update(std::make_unique<Forced>(
      std::vector<AnyFunction>{stays, counts}, [] { redefine_function(counts, counts_v2); }, 1'000'000));
  manager.apply_next_update();
  std::future<long> outside = std::async(std::launch::async, [&] { return counts(counted); });
  manager.apply_next_update();
  EXPECT_EQ(handle.report().state, UpdateState::active) << handle.report().reason;
  room.leave.release();
  while (handle.report().state == UpdateState::active) manager.apply_next_update();
  expect_applied(handle.report());
  outside.get();
  inside.join();
  EXPECT_EQ(counted.fresh, 1);
  EXPECT_EQ(counted.old, 0);
  roll_back(handle.id());
}

/// Leaves it to moult to open the entries.
class ForcedWithoutCleanup final : public Update {
 public:
  ForcedWithoutCleanup() : Update("without cleanup") {}
  void preupdate_setup() override { setup_force_quiescence({stays, counts}, patience()); }
  bool wait_alterability() override {
    Forced::closed.release();
    return wait_force_quiescence(patience());
  }
  void apply() override { redefine_function(counts, counts_v2); }
  void cleanup() override { is_open_ = outside_.wait_for(20s) == std::future_status::ready; }
  static inline std::future<long> outside_;
  static inline bool is_open_ = false;
};

TEST_F(ForcedQuiescence, TheEntriesAreOpenWhenTheProgramGoesOn) {
  Room room;
  Counts counted;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  const UpdateHandle handle = manager_.add_update(std::make_unique<ForcedWithoutCleanup>());
  Forced::closed.acquire();
  ForcedWithoutCleanup::outside_ = std::async(std::launch::async, [&] { return counts(counted); });
  room.leave.release();
  expect_applied(handle.wait(60s));
  EXPECT_TRUE(ForcedWithoutCleanup::is_open_) << "before the update's cleanup";
  inside.join();
  ForcedWithoutCleanup::outside_.get();
  EXPECT_EQ(counted.fresh, 1);
  roll_back(handle.id());
}

/// Where a jump at the function's entry leads.
template <class Function>
Function* behind_entry(Function* function) {
  internal::CodeAddress at{reinterpret_cast<std::uintptr_t>(function)};
  for (bool goes_on = true; goes_on;) {
    const internal::Instruction instruction = *internal::decode_at(at);
    goes_on = instruction.is_plain_jump || instruction.kind == internal::InstructionKind::endbr64;
    if (goes_on) at = instruction.target.value_or(at + instruction.length);
  }
  return reinterpret_cast<Function*>(internal::value(at));
}

TEST_F(ForcedQuiescence, ACallThatIsStoppedOnItsWayToTheGateReachesTheNewVersion) {
  Room room;
  Counts counted;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  const UpdateHandle handle = begin({stays, counts}, [] { redefine_function(counts, counts_v2); });
  const auto on_its_way = behind_entry(counts);
  room.leave.release();
  expect_applied(handle.wait(60s));
  inside.join();
  on_its_way(counted);
  EXPECT_EQ(counted.fresh, 1);
  EXPECT_EQ(counted.old, 0);
  roll_back(handle.id());
  on_its_way(counted);
  EXPECT_EQ(counted.old, 1);
}

TEST_F(ForcedQuiescence, TheEndOfTheManagerOpensTheEntries) {
  Room room;
  Counts counted;
  std::thread inside([&] { stays(room, 1); });
  room.entered.acquire();
  std::future<long> outside;
  {
    Manager manager("ends");
    manager.add_update(std::make_unique<Forced>(
        std::vector<AnyFunction>{stays, counts}, [] {}, 1'000'000));
    manager.apply_next_update();
    outside = std::async(std::launch::async, [&] { return counts(counted); });
    EXPECT_EQ(outside.wait_for(5ms), std::future_status::timeout);
  }
  EXPECT_EQ(outside.get(), 1);
  room.leave.release();
  inside.join();
}

/// The update's own thread would wait for itself.
TEST_F(ForcedQuiescence, TheUpdatesOwnCallsPass) {
  Counts counted;
  long result = 0;
  const UpdateHandle handle = begin({counts}, [&] { result = counts(counted); });
  expect_applied(handle.wait(60s));
  EXPECT_EQ(result, 1);
}

TEST_F(ForcedQuiescence, FunctionsThatBeginWithBranchesAndCallsAreGoneThrough) {
  const std::vector<long (*)(long)> functions = {begins_with_load, begins_with_branch, begins_with_call,
                                                 begins_with_indirect_call, begins_with_return};
  for (long (*function)(long) : functions) {
    std::array<long, 3> results{};
    const UpdateHandle handle = begin({function}, [&] {
      for (std::size_t i = 0; i < results.size(); ++i) results[i] = function(static_cast<long>(i));
    });
    expect_applied(handle.wait(60s));
    for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], function(static_cast<long>(i)));
  }
}

UpdateReport try_to_force(ThreadedManager& manager, const AnyFunction& function) {
  return manager.add_update(std::make_unique<Forced>(std::vector{function}, [] {})).wait(60s);
}

TEST_F(ForcedQuiescence, WhatCannotBeGoneThroughIsRefused) {
  UpdateReport report = try_to_force(manager_, begins_with_loop);
  EXPECT_EQ(report.code, ErrorCode::unsupported_code);
  EXPECT_THAT(report.reason, testing::HasSubstr("begins_with_loop: jumps back to its own entry"));
  report = try_to_force(manager_, begins_with_short_loop);
  EXPECT_EQ(report.code, ErrorCode::unsupported_code);
  EXPECT_THAT(report.reason, testing::HasSubstr("begins_with_short_loop+0x2: the instruction there has no form"));
}

}  // namespace subject
}  // namespace moult
