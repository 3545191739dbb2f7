// Compares the walk with libunwind's: same stack, same return addresses.
#include "unwind/unwinder.hpp"

#include <gtest/gtest.h>
#include <ucontext.h>
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <vector>

namespace moult::internal {
namespace {

// Filled in by the signal handler, which must not allocate.
constexpr std::size_t most_frames = 1000;
std::vector<std::uint64_t> expected;
std::vector<std::uint64_t> walked;
bool ended_precisely = false;
RowCache rows;

void walk_by_libunwind(ucontext_t& context) {
  unw_cursor_t cursor;
  unw_init_local2(&cursor, &context, UNW_INIT_SIGNAL_FRAME);
  do {
    unw_word_t pc = 0;
    unw_get_reg(&cursor, UNW_REG_IP, &pc);
    if (pc == 0) break;
    expected.push_back(pc);
  } while (unw_step(&cursor) > 0 && expected.size() < most_frames);
}

void walk_by_moult(const ucontext_t& context) {
  walk_stack(rows, registers_of(context), [&](const Frame& frame) {
    ended_precisely = frame.is_precise;
    if (frame.is_precise) walked.push_back(value(frame.pc));
    return frame.is_precise && walked.size() < most_frames;
  });
}

void on_signal(int signal, siginfo_t*, void* data) {
  ucontext_t& context = *static_cast<ucontext_t*>(data);
  const int error = errno;
  if (signal == SIGUSR1) walk_by_libunwind(context);
  walk_by_moult(context);
  errno = error;
}

struct OnSignal {
  explicit OnSignal(int number = SIGUSR1) : signal(number) {
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    sigaction(signal, &action, &before);
    rows.keep_for(1);
    for (std::vector<std::uint64_t>* addresses : {&expected, &walked}) {
      addresses->clear();
      addresses->reserve(most_frames);
    }
  }
  ~OnSignal() { sigaction(signal, &before, nullptr); }
  int signal;
  struct sigaction before {};
};

[[gnu::noinline]] int recurse(int depth) {
  if (depth == 0) return raise(SIGUSR1);
  volatile int result = recurse(depth - 1);
  return result + 1;
}

[[gnu::noinline]] int with_variable_length_array(int size) {
  volatile char* array = static_cast<char*>(__builtin_alloca(static_cast<std::size_t>(size)));
  array[0] = 1;
  volatile int result = recurse(2);
  return result + array[0];
}

struct alignas(64) Aligned {
  char bytes[64];
};

[[gnu::noinline]] int with_realigned_stack(int seed) {
  volatile Aligned aligned{};
  aligned.bytes[0] = static_cast<char>(seed);
  volatile int result = with_variable_length_array(100 + seed);
  return result + aligned.bytes[0];
}

int compare(const void* a, const void* b) {
  static int calls = 0;
  if (calls++ == 0) recurse(1);
  return *static_cast<const int*>(a) - *static_cast<const int*>(b);
}

TEST(Unwinder, WalksPlainCallsAsLibunwindDoes) {
  OnSignal handler;
  recurse(30);
  EXPECT_GT(walked.size(), 30u);
  EXPECT_EQ(walked, expected);
  EXPECT_TRUE(ended_precisely);
}

TEST(Unwinder, WalksRealignedStacksAndVariableLengthArrays) {
  OnSignal handler;
  with_realigned_stack(3);
  EXPECT_EQ(walked, expected);
}

TEST(Unwinder, WalksThroughTheCLibrary) {
  OnSignal handler;
  int numbers[] = {3, 1, 2};
  qsort(numbers, 3, sizeof(int), compare);
  EXPECT_EQ(walked, expected);
}

TEST(Unwinder, WalksThroughASignalFrame) {
  struct sigaction outer {};
  outer.sa_handler = [](int) { recurse(3); };
  struct sigaction before {};
  sigaction(SIGUSR2, &outer, &before);
  OnSignal handler;
  raise(SIGUSR2);
  sigaction(SIGUSR2, &before, nullptr);
  EXPECT_GT(walked.size(), 5u);
  EXPECT_EQ(walked, expected);
}

TEST(Unwinder, WalksThroughExceptionsBeingThrown) {
  struct Raises {
    ~Raises() { recurse(1); }
  };
  OnSignal handler;
  try {
    Raises raises;
    throw 1;
  } catch (int) {
  }
  EXPECT_GT(walked.size(), 4u);
  EXPECT_EQ(walked, expected);
}

[[gnu::noinline]] int call_slot(void* slot) {
  reinterpret_cast<void (*)()>(slot)();
  return 1;
}

TEST(Unwinder, StepsOutOfAJumpSlotAsFromAFunctionsEntry) {
  // A slot without its jump: int3, at which the thread is when the handler runs; ret.
  const unsigned char code[] = {0xCC, 0xC3};
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  std::copy(std::begin(code), std::end(code), static_cast<unsigned char*>(page));
  CodeAddress slot{reinterpret_cast<std::uintptr_t>(page)};
  register_entry_code({slot, slot + sizeof code});
  OnSignal handler(SIGTRAP);
  call_slot(page);
  ASSERT_GT(walked.size(), 2u);
  EXPECT_TRUE(ended_precisely);
  std::optional<CodeRange> caller = unwind_entry_at(CodeAddress{walked[1]});
  ASSERT_TRUE(caller);
  EXPECT_EQ(value(caller->begin), reinterpret_cast<std::uintptr_t>(&call_slot));
}

TEST(Unwinder, ReportsEveryWordOfAStackThatItCannotWalk) {
  // mov (%rsp),%rax; call *%rdi; ret: code made at run time, without unwind information.
  const unsigned char code[] = {0x48, 0x83, 0xEC, 0x08, 0xFF, 0xD7, 0x48, 0x83, 0xC4, 0x08, 0xC3};
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  std::copy(std::begin(code), std::end(code), static_cast<unsigned char*>(page));
  static std::uint64_t return_into_test;
  static bool found;
  static int imprecise;
  found = false;
  imprecise = 0;
  auto walk_here = +[] {
    ucontext_t here;
    getcontext(&here);
    rows.keep_for(1);
    walk_stack(rows, registers_of(here), [](const Frame& frame) {
      if (!frame.is_precise) ++imprecise;
      if (!frame.is_precise && value(frame.pc) == return_into_test) found = true;
      return true;
    });
  };
  auto outer = [&]() __attribute__((noinline)) {
    return_into_test = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
    reinterpret_cast<void (*)(void (*)())>(page)(walk_here);
    asm volatile("");
  };
  outer();
  munmap(page, 4096);
  EXPECT_GT(imprecise, 0);
  EXPECT_TRUE(found) << "the word that returns into the caller of the unknown code";
}

TEST(Unwinder, KnowsTheFunctionThatAnAddressBelongsTo) {
  CodeAddress inside{reinterpret_cast<std::uintptr_t>(&recurse) + 1};
  std::optional<CodeRange> entry = unwind_entry_at(inside);
  ASSERT_TRUE(entry);
  EXPECT_EQ(value(entry->begin), reinterpret_cast<std::uintptr_t>(&recurse));
  EXPECT_FALSE(unwind_entry_at(CodeAddress{0x1000}));
}

}  // namespace
}  // namespace moult::internal
