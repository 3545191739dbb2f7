// A frame that returns through a stub, as the language's unwinder and moult's see it, at each instruction of the stub.
#include <gtest/gtest.h>
#include <ucontext.h>
#include <unwind.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <vector>

#include "platform/x86_64/return_stubs.hpp"
#include "unwind/unwinder.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_frames = 200;
constexpr std::uint32_t slot_index = 4095;

// Filled by signal handlers, which must not allocate.
std::vector<std::uint64_t> by_language;
std::vector<std::uint64_t> by_moult;
RowCache rows;
int places_in_stub = 0;
int places_that_differ = 0;
bool was_in_stub = false;

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* data) {
  std::vector<std::uint64_t>& frames = *static_cast<std::vector<std::uint64_t>*>(data);
  if (frames.size() < most_frames) frames.push_back(_Unwind_GetIP(context));
  return _URC_NO_REASON;
}

/// In a signal handler: walks the stack of the interrupted code.
void walk_both(const ucontext_t& context) {
  by_language.clear();
  by_moult.clear();
  _Unwind_Backtrace(add_frame, &by_language);
  const auto pc = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
  by_language.erase(by_language.begin(), std::find(by_language.begin(), by_language.end(), pc));
  if (!by_language.empty() && by_language.back() == 0) by_language.pop_back();
  walk_stack(rows, registers_of(context), [](const Frame& frame) {
    if (frame.is_precise) by_moult.push_back(value(frame.pc));
    return frame.is_precise && by_moult.size() < most_frames;
  });
}

void on_trap(int, siginfo_t*, void* data) {
  ucontext_t& context = *static_cast<ucontext_t*>(data);
  const CodeAddress pc{static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP])};
  const bool is_in_stub = is_in_return_stub(pc);
  if (is_in_stub) {
    walk_both(context);
    ++places_in_stub;
    if (by_moult != by_language || by_moult.size() < 3) ++places_that_differ;
  } else if (was_in_stub) {
    constexpr greg_t trap_flag = 0x100;
    context.uc_mcontext.gregs[REG_EFL] &= ~trap_flag;
  }
  was_in_stub = is_in_stub;
}

void on_signal(int, siginfo_t*, void* data) { walk_both(*static_cast<ucontext_t*>(data)); }

/// Makes the calling function return through the stub. Its return address is just below its CFA.
[[gnu::always_inline]] inline void arm_for_caller(std::uint64_t* cfa) {
  ReturnSlot& slot = return_slot(slot_index);
  slot.place = reinterpret_cast<std::uint64_t>(cfa - 1);
  slot.true_address = cfa[-1];
  slot.state = ReturnState::armed;
  cfa[-1] = value(return_stub(slot_index));
}

struct Handler {
  Handler(int number, void (*handle)(int, siginfo_t*, void*)) : signal(number) {
    rows.keep_for(1);
    by_language.reserve(most_frames);
    by_moult.reserve(most_frames);
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    sigaction(signal, &action, &before);
  }
  ~Handler() { sigaction(signal, &before, nullptr); }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  int signal;
  struct sigaction before {};
};

[[gnu::noinline]] int walks(int result) {
  arm_for_caller(static_cast<std::uint64_t*>(__builtin_dwarf_cfa()));
  raise(SIGUSR1);
  return result;
}

TEST(ReturnStub, IsAFrameBetweenTheFunctionAndItsCallerForEveryWalk) {
  const Handler handler(SIGUSR1, on_signal);
  const std::uint32_t told = told_returns();
  EXPECT_EQ(walks(17), 17);
  EXPECT_EQ(by_moult, by_language);
  EXPECT_NE(std::find(by_moult.begin(), by_moult.end(), value(return_stub(slot_index))), by_moult.end());
  EXPECT_EQ(return_slot(slot_index).state, ReturnState::returned);
  EXPECT_EQ(told_returns(), told + 1);
}

[[gnu::noinline]] int steps(int result) {
  arm_for_caller(static_cast<std::uint64_t*>(__builtin_dwarf_cfa()));
  asm volatile(
      "leaq -128(%%rsp), %%rsp\n\t"
      "pushfq\n\t"
      "orq $0x100, (%%rsp)\n\t"
      "popfq\n\t"
      "leaq 128(%%rsp), %%rsp" ::
          : "memory", "cc");
  return result;
}

TEST(ReturnStub, BothWalksAgreeAtEachInstructionOfTheStub) {
  const Handler handler(SIGTRAP, on_trap);
  EXPECT_EQ(steps(18), 18);
  EXPECT_GT(places_in_stub, 20);
  EXPECT_EQ(places_that_differ, 0);
}

[[gnu::noinline]] void throws() {
  arm_for_caller(static_cast<std::uint64_t*>(__builtin_dwarf_cfa()));
  throw 5;
}

TEST(ReturnStub, AnExceptionThatPassesIsReported) {
  const std::uint32_t told = told_returns();
  try {
    throws();
    FAIL() << "nothing was thrown";
  } catch (int number) {
    EXPECT_EQ(number, 5);
  }
  EXPECT_EQ(return_slot(slot_index).state, ReturnState::passed);
  EXPECT_EQ(told_returns(), told + 1);
}

TEST(ReturnStub, KnowsItsSlotByItsAddress) {
  for (std::uint32_t index : {0u, 1u, 17u, return_stub_count - 1}) EXPECT_EQ(return_slot_of(return_stub(index)), index);
  EXPECT_EQ(return_slot_of(return_stub(3) + 1), std::nullopt);
  EXPECT_EQ(return_slot_of(return_stub(0) + std::size_t{16} * return_stub_count), std::nullopt);
}

}  // namespace
}  // namespace moult::internal
