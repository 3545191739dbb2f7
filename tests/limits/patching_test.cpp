// Functions that cannot be redefined safely.
#include <semaphore.h>

#include <cstdint>
#include <thread>
#include <utility>

#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "refusal.hpp"

namespace patching {

using limits::apply;
using limits::expect_error;
using limits::expect_refused;
using moult::ErrorCode;
using moult::Redefinition;
using moult::SafeRedefineUpdate;

MOULT_UPDATABLE int replacement(int x) { return x + 100; }

// The volatile keeps an instruction of the copy: compilers record no copy that vanishes completely.
inline int copied(int x) {
  volatile int seen = x;
  return seen * 3 + 1;
}
MOULT_UPDATABLE int holds_a_copy(int x) { return copied(x) + 1; }
int (*volatile pointer_to_copied)(int) = copied;  // so that there is a body of its own as well

TEST(Patching, AFunctionWithInlinedCopiesIsRefusedWithEverySite) {
  moult::UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("inlined", pointer_to_copied, replacement));
  expect_refused(report, ErrorCode::inlined,
                 {"copied(int): inlined at", "patching_test.cpp:", "holds_a_copy(int)", "MOULT_UPDATABLE"});
  EXPECT_EQ(pointer_to_copied(1), 4);
  EXPECT_EQ(holds_a_copy(1), 5);
}

TEST(Patching, ItIsAcceptedWhenTheHolderOfTheCopyIsReplacedToo) {
  std::vector<Redefinition> both{Redefinition(pointer_to_copied, replacement), Redefinition(holds_a_copy, replacement)};
  moult::UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("both", both));
  EXPECT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  EXPECT_EQ(pointer_to_copied(1), 101);
}

__attribute__((target_clones("avx2", "default"))) int cloned(int x) { return x + 1; }

TEST(Patching, AFunctionWithAVersionForEachProcessorIsRefusedByPointerAndByName) {
  int (*volatile pointer)(int) = cloned;
  expect_refused(apply(std::make_unique<SafeRedefineUpdate>("cloned", pointer, replacement)), ErrorCode::unsupported,
                 {"patching::cloned(int) in", "is an indirect function (IFUNC)", "redefine what calls it instead"});
  expect_error(ErrorCode::unsupported, {"patching::cloned(int) in", "is an indirect function (IFUNC)"},
               [] { moult::function<int(int)>("patching::cloned"); });
  EXPECT_EQ(cloned(1), 2);
}

[[noreturn]] MOULT_UPDATABLE void gives_up(int x) { throw x; }
MOULT_UPDATABLE void returns(int) {}
[[noreturn]] MOULT_UPDATABLE void gives_up_otherwise(int x) { throw x + 1; }

TEST(Patching, AFunctionThatNeverReturnsIsNotReplacedByOneThatMay) {
  expect_refused(
      apply(std::make_unique<SafeRedefineUpdate>("returns", gives_up, returns)), ErrorCode::signature_mismatch,
      {"patching::gives_up(int): is [[noreturn]], and patching::returns(int) may return: callers have no code",
       "declare the new version [[noreturn]], too"});
  EXPECT_THROW(gives_up(1), int);
  const moult::UpdateReport report =
      apply(std::make_unique<SafeRedefineUpdate>("gives up", gives_up, gives_up_otherwise));
  EXPECT_EQ(report.state, moult::UpdateState::applied) << report.reason;
}

extern "C" int short_function(int);
extern "C" int behind_short_function(int);
asm(R"(
  .text
  .p2align 4
  .globl short_function, behind_short_function
  .type short_function, @function
short_function:
  mov %edi, %eax
  ret
  .size short_function, .-short_function
  .type behind_short_function, @function
behind_short_function:
  lea 1(%rdi), %eax
  ret
  .size behind_short_function, .-behind_short_function
)");

TEST(Patching, AFunctionShorterThanTheJumpIsRefused) {
  moult::UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("short", short_function, replacement));
  expect_refused(report, ErrorCode::too_short, {"short_function", "redefine its callers"});
  EXPECT_EQ(short_function(5), 5);
  EXPECT_EQ(behind_short_function(5), 6);
}

extern "C" int branches_back(int);
asm(R"(
  .text
  .p2align 4
  .globl branches_back
  .type branches_back, @function
branches_back:
  xor %eax, %eax
1:
  inc %eax
  cmp %edi, %eax
  jl 1b
  ret
  .size branches_back, .-branches_back
)");

TEST(Patching, ABranchIntoTheBytesUnderTheJumpIsRefused) {
  moult::UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("branch", branches_back, replacement));
  expect_refused(report, ErrorCode::unsupported_code, {"branches_back", "redefine its callers"});
  EXPECT_EQ(branches_back(5), 5);
}

MOULT_UPDATABLE int unchanged(int x) { return x + 1; }

TEST(Patching, AFunctionRedefinedAsItselfIsRefused) {
  moult::UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("self", unchanged, unchanged));
  EXPECT_EQ(report.state, moult::UpdateState::refused);
  EXPECT_EQ(unchanged(1), 2);
}

MOULT_UPDATABLE int hooked(int x) { return x + 1; }

/// Writes a breakpoint as a debugger does.
std::uint8_t write_first_byte(int (*function)(int), std::uint8_t byte) {
  const moult::internal::Protection code =
      moult::internal::Protection::read | moult::internal::Protection::write | moult::internal::Protection::execute;
  const std::uintptr_t page = moult::internal::page_size();
  auto* const first = reinterpret_cast<std::uint8_t*>(function);
  moult::internal::address_space().protect(reinterpret_cast<std::uintptr_t>(first) / page * page, page, code);
  return std::exchange(*first, byte);
}

TEST(Patching, AChangeThatSomethingElseWroteOverIsNeitherTakenBackNorRepeated) {
  const moult::UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("hooked", hooked, replacement));
  ASSERT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  const std::uint8_t ours = write_first_byte(hooked, 0xcc);
  limits::expect_error(ErrorCode::unsupported_code, {"hooked(int): something else has written to its first bytes"},
                       [&report] { moult::roll_back(report.id); });
  expect_refused(apply(std::make_unique<SafeRedefineUpdate>("again", hooked, unchanged)), ErrorCode::unsupported_code,
                 {"hooked(int): something else has written to its first bytes", "take that back"});
  EXPECT_EQ(write_first_byte(hooked, ours), 0xcc);
  EXPECT_EQ(hooked(1), 101);
  moult::roll_back(report.id);
  EXPECT_EQ(hooked(1), 2);
}

MOULT_UPDATABLE int redefined_later(int x) { return x + 1; }
MOULT_UPDATABLE int earlier_version(int x) { return x + 200; }

TEST(Patching, AnUpdateThatWasOvertakenByALaterOneIsRefused) {
  moult::Manager slow("slow");
  moult::UpdateHandle earlier =
      slow.add_update(std::make_unique<SafeRedefineUpdate>("earlier", redefined_later, earlier_version));
  const moult::UpdateReport later = apply(std::make_unique<SafeRedefineUpdate>("later", redefined_later, replacement));
  ASSERT_EQ(later.state, moult::UpdateState::applied) << later.reason;
  slow.apply_next_update();
  expect_refused(
      earlier.report(), ErrorCode::superseded,
      {"redefined_later(int): update " + std::to_string(later.id), "submitted later", "submit this one again"});
  EXPECT_EQ(redefined_later(1), 101);
  const moult::UpdateReport again =
      apply(std::make_unique<SafeRedefineUpdate>("earlier", redefined_later, earlier_version));
  EXPECT_EQ(again.state, moult::UpdateState::applied) << again.reason;
  EXPECT_EQ(redefined_later(1), 201);
}

sem_t gate;
MOULT_UPDATABLE int never_leaves(int x) {
  while (sem_wait(&gate) != 0) {
  }
  return x;
}

TEST(Patching, AThreadThatNeverLeavesTheFunctionIsNamed) {
  sem_init(&gate, 0, 0);
  std::atomic<pid_t> task{0};
  std::thread thread([&task] {
    task = moult::internal::own_task();
    never_leaves(1);
  });
  while (task == 0 || moult::internal::blocked_call(task).number < 0) std::this_thread::yield();
  moult::ThreadedManager manager("threaded");
  auto update = std::make_unique<SafeRedefineUpdate>("stuck", never_leaves, replacement);
  update->set_patience({.max_tries = 3,
                        .sleep_time = std::chrono::milliseconds(10),
                        .stop_timeout = std::chrono::seconds(5),
                        .max_postponements = 0});
  moult::UpdateReport report = manager.add_update(std::move(update)).wait(std::chrono::seconds(20));
  EXPECT_EQ(report.state, moult::UpdateState::failed);
  EXPECT_THAT(report.reason, testing::HasSubstr("never_leaves"));
  EXPECT_THAT(report.reason, testing::HasSubstr(std::to_string(task.load())));
  sem_post(&gate);
  thread.join();
  sem_post(&gate);
  EXPECT_EQ(never_leaves(1), 1);
}

}  // namespace patching
