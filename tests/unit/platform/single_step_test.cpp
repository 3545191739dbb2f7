#include "platform/stop_signal.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "platform/x86_64/context.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;

std::atomic<std::uint64_t> turns{0};
std::atomic<bool> is_over{false};
std::atomic<std::uint64_t> return_address{0};
std::atomic<std::uint64_t> callers_stack_pointer{0};

/// Takes a few hundred instructions and notes where it returns to.
[[gnu::noinline]] void inner() {
  return_address = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
  callers_stack_pointer = reinterpret_cast<std::uint64_t>(__builtin_dwarf_cfa());
  for (int i = 0; i < 200; ++i) ++turns;
}

[[gnu::noinline]] void outer() {
  while (!is_over) inner();
}

/// Blocks no signal, but asks for the mask, again and again.
[[gnu::noinline]] void asks_for_its_mask() {
  while (!is_over) {
    ++turns;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, nullptr, 8);
  }
}

/// A thread that runs `work` and can be stopped by slot 0.
class Worker {
 public:
  explicit Worker(void (*work)()) {
    is_over = false;
    stop_signal();
    thread_ = std::thread([this, work] {
      slot_.task = own_task();
      is_ready_ = true;
      work();
    });
    while (!is_ready_ || turns == 0) std::this_thread::yield();
  }
  ~Worker() {
    is_over = true;
    thread_.join();
  }

  StopSlot& slot() { return slot_; }
  Registers registers() const { return registers_of(*slot_.context); }
  void stop() {
    reset_arrivals();
    ASSERT_EQ(ask_to_stop(slot_), Asked::sent);
    ASSERT_TRUE(await_arrivals(1, 10s));
    ASSERT_TRUE(is_stopped(slot_));
  }
  /// False when it has not arrived anywhere in that time.
  bool step_out(const Destination& destination, std::chrono::milliseconds timeout) {
    reset_arrivals();
    Release().step_out(slot_, destination);
    return await_arrivals(1, timeout) && is_stopped(slot_);
  }
  void let_go() {
    std::uint64_t before = turns;
    Release().add(slot_);
    while (turns < before + 100'000) std::this_thread::yield();  // hours, if it still trapped at each instruction
  }

 private:
  StopSlot& slot_ = stop_slot(0);
  std::atomic<bool> is_ready_{false};
  std::thread thread_;
};

TEST(SingleStep, AThreadIsSteppedToWhereAFunctionReturns) {
  ASSERT_TRUE(claim_traps());
  Worker worker(outer);
  for (int round = 0; round < 20; ++round) {
    worker.stop();
    ASSERT_TRUE(can_be_stepped(worker.slot()));
    Destination destination{return_address, callers_stack_pointer};
    ASSERT_TRUE(worker.step_out(destination, 10s));
    EXPECT_EQ(worker.registers()[rip], destination.pc);
    EXPECT_GE(worker.registers()[rsp], destination.stack_pointer);
    worker.let_go();
  }
}

TEST(SingleStep, AThreadWhoseRequestIsWithdrawnContinuesAtFullSpeed) {
  ASSERT_TRUE(claim_traps());
  Worker worker(outer);
  worker.stop();
  constexpr std::uint64_t nowhere = 1;
  Release().step_out(worker.slot(), {nowhere, 0});
  ASSERT_TRUE(withdraw(worker.slot()));
  std::uint64_t before = turns;
  while (turns < before + 100'000) std::this_thread::yield();
  worker.stop();
  worker.let_go();
}

TEST(SingleStep, AThreadThatDoesNotArriveStopsAfterAWhile) {
  ASSERT_TRUE(claim_traps());
  Worker worker(outer);
  worker.stop();
  constexpr std::uint64_t nowhere = 1;
  EXPECT_TRUE(worker.step_out({nowhere, 0}, 60s));
  worker.let_go();
}

TEST(SingleStep, AThreadOnItsWayIsStoppedWhereItIs) {
  ASSERT_TRUE(claim_traps());
  Worker worker(outer);
  worker.stop();
  for (int round = 0; round < 20; ++round) {
    constexpr std::uint64_t nowhere = 1;
    reset_arrivals();
    Release().step_out(worker.slot(), {nowhere, 0});
    while (!worker.slot().has_left) std::this_thread::yield();
    stop_stepped(worker.slot());
    ASSERT_TRUE(await_arrivals(1, 10s));
    ASSERT_TRUE(is_stopped(worker.slot()));
  }
  worker.let_go();
}

TEST(SingleStep, AThreadStopsBeforeItMayBlockTraps) {
  ASSERT_TRUE(claim_traps());
  Worker worker(asks_for_its_mask);
  worker.stop();
  constexpr std::uint64_t nowhere = 1;
  if (can_be_stepped(worker.slot())) {
    ASSERT_TRUE(worker.step_out({nowhere, 0}, 60s));
  }
  EXPECT_FALSE(can_be_stepped(worker.slot()));
  EXPECT_EQ(worker.registers()[rax], static_cast<std::uint64_t>(SYS_rt_sigprocmask));
  worker.let_go();
}

TEST(SingleStep, AThreadThatBlocksTrapsIsNotStepped) {
  ASSERT_TRUE(claim_traps());
  Worker worker([] {
    sigset_t traps;
    sigemptyset(&traps);
    sigaddset(&traps, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &traps, nullptr);
    outer();
  });
  worker.stop();
  EXPECT_FALSE(can_be_stepped(worker.slot()));
  worker.let_go();
}

TEST(SingleStepDeathTest, AnInt3OfTheProgramsStillEndsIt) {
  EXPECT_EXIT(
      {
        claim_traps();
        asm volatile("int3");
        _exit(0);
      },
      testing::KilledBySignal(SIGTRAP), "");
}

TEST(SingleStepDeathTest, TrapsThatTheProgramHandlesAreNotTaken) {
  EXPECT_EXIT(
      {
        signal(SIGTRAP, [](int) { _exit(7); });
        if (claim_traps()) _exit(1);
        raise(SIGTRAP);
        _exit(2);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace moult::internal
