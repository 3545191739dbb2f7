#include "alterability/quiescence.hpp"

#include <gtest/gtest.h>
#include <semaphore.h>

#include <thread>

#include "moult/error.hpp"
#include "platform/tasks.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

sem_t gate;

MOULT_UPDATABLE void wait_at_gate() {
  while (sem_wait(&gate) != 0) {
  }
  asm volatile("");
}
MOULT_UPDATABLE void calls_the_gate() {
  wait_at_gate();
  asm volatile("");
}
MOULT_UPDATABLE void never_called() { asm volatile(""); }

/// A thread inside wait_at_gate, until it is released.
class AtGate {
 public:
  AtGate() {
    sem_init(&gate, 0, 0);
    thread_ = std::thread([this] {
      task_ = own_task();
      calls_the_gate();
    });
    while (task_ == 0 || blocked_call(task_).number < 0) std::this_thread::yield();
  }
  ~AtGate() { leave(); }
  void leave() {
    if (!thread_.joinable()) return;
    sem_post(&gate);
    thread_.join();
  }
  ThreadId id() const { return ThreadId{task_.load()}; }

 private:
  std::atomic<pid_t> task_{0};
  std::thread thread_;
};

constexpr Patience short_patience{.max_tries = 5, .sleep_time = 10ms, .stop_timeout = 2000ms, .max_postponements = {}};

TEST(Quiescence, AFunctionOnAStackIsFound) {
  AtGate thread;
  EXPECT_TRUE(is_function_in_any_stack(wait_at_gate));
  EXPECT_TRUE(is_function_in_any_stack(calls_the_gate));
  EXPECT_FALSE(is_function_in_any_stack(never_called));
}

TEST(Quiescence, AWaitSaysWhatItWaitsForWhileItLasts) {
  AtGate thread;
  Transaction transaction;
  Transaction::Scope scope(transaction);
  std::string told;
  transaction.hear_reasons([&](const std::string& reason) {
    told = reason;
    thread.leave();
  });
  constexpr Patience endless{.max_tries = 100000, .sleep_time = 10ms, .stop_timeout = 2000ms, .max_postponements = {}};
  EXPECT_TRUE(wait_quiescence_of_function(wait_at_gate, endless));
  resume_suspended_threads();
  EXPECT_NE(told.find("wait_at_gate() is active in "), std::string::npos) << told;
  EXPECT_NE(told.find("called from moult::internal::subject::calls_the_gate()"), std::string::npos) << told;
}

TEST(Quiescence, OnlyTheNamedThreadsAreLookedAt) {
  AtGate thread;
  EXPECT_TRUE(is_function_in_stack(wait_at_gate, thread.id()));
  EXPECT_FALSE(is_function_in_stack(wait_at_gate, this_thread_id()));
}

MOULT_UPDATABLE bool looks_for_itself() { return is_function_in_stack(looks_for_itself, this_thread_id()); }

TEST(Quiescence, TheCallersOwnStackCounts) { EXPECT_TRUE(looks_for_itself()); }

TEST(Quiescence, AProbeLeavesTheProgramStoppedOnlyWhenItHolds) {
  AtGate thread;
  Transaction transaction;
  Transaction::Scope scope(transaction);
  EXPECT_FALSE(check_quiescence_of_function(wait_at_gate, short_patience));
  EXPECT_EQ(transaction.suspension(), nullptr);
  EXPECT_TRUE(check_quiescence_of_function(never_called, short_patience));
  EXPECT_NE(transaction.suspension(), nullptr);
  resume_suspended_threads();
  EXPECT_EQ(transaction.suspension(), nullptr);
}

TEST(Quiescence, AnUpdateWaitsWhileTheOldFunctionIsOnAStack) {
  AtGate thread;
  Transaction transaction;
  Transaction::Scope scope(transaction);
  bool has_left = false;
  transaction.hear_reasons([&](const std::string&) {  // the wait reports what it has found: it goes on
    thread.leave();
    has_left = true;
  });
  Patience patience = short_patience;
  patience.max_tries = 1000;
  EXPECT_TRUE(wait_quiescence_of_functions({wait_at_gate, calls_the_gate}, patience));
  EXPECT_TRUE(has_left) << "the wait ended while the function was on a stack";
  EXPECT_NE(transaction.suspension(), nullptr);
  EXPECT_FALSE(is_function_in_any_stack(wait_at_gate));
  transaction.resume();
}

TEST(Quiescence, AFailedWaitNamesTheThreadAndTheFrames) {
  AtGate thread;
  Transaction transaction;
  Transaction::Scope scope(transaction);
  EXPECT_FALSE(wait_quiescence_of_function(wait_at_gate, short_patience));
  EXPECT_NE(transaction.reason().find("wait_at_gate"), std::string::npos) << transaction.reason();
  EXPECT_NE(transaction.reason().find("calls_the_gate"), std::string::npos) << transaction.reason();
  EXPECT_NE(transaction.reason().find(std::to_string(static_cast<int>(thread.id()))), std::string::npos)
      << transaction.reason();
}

TEST(Quiescence, OutsideOfAnUpdateItIsRefused) { EXPECT_THROW(check_quiescence_of_function(never_called), Error); }

}  // namespace subject
}  // namespace moult::internal
