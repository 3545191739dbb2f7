#include "code/patch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <semaphore>
#include <thread>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"

// Functions that return their own number, and some that are hard to patch. Called through pointers only.
asm(R"(
.macro begin_function name
  .balign 16, 0xcc
  .globl \name
  .type \name, @function
  \name:
  .cfi_startproc
.endm
.macro end_function name
  .cfi_endproc
  .size \name, . - \name
  .globl \name\()_end
  \name\()_end:
.endm
.macro answering name, number
  begin_function \name
  mov $\number, %eax
  ret
  end_function \name
.endm
.pushsection .text
answering patch_one, 1
answering patch_two, 2
answering patch_three, 3
answering patch_kept, 4
begin_function patch_only_ret
  ret
end_function patch_only_ret
begin_function patch_crowded
  ret
end_function patch_crowded
  .globl patch_neighbour
  .type patch_neighbour, @function
patch_neighbour:
  nop
  nop
  nop
  nop
  nop
  ret
  .size patch_neighbour, . - patch_neighbour
begin_function patch_loops
  endbr64
1:
  mov $9, %eax
  dec %edi
  jg 1b
  ret
end_function patch_loops
begin_function patch_calls_early
  push %rbx
  .cfi_adjust_cfa_offset 8
  call *%rdi
  pop %rbx
  .cfi_adjust_cfa_offset -8
  mov $5, %eax
  ret
end_function patch_calls_early
begin_function patch_branch_inside
  xor %eax, %eax
2:
  dec %edi
  jg 2b
  ret
end_function patch_branch_inside
  .balign 16, 0xcc
.popsection
)");

extern "C" {
#define MOULT_TEST_CODE(name, result, ...) \
  result name(__VA_ARGS__);                \
  extern const char name##_end[]
MOULT_TEST_CODE(patch_one, int);
MOULT_TEST_CODE(patch_two, int);
MOULT_TEST_CODE(patch_three, int);
MOULT_TEST_CODE(patch_kept, int);
MOULT_TEST_CODE(patch_only_ret, int);
MOULT_TEST_CODE(patch_crowded, int);
MOULT_TEST_CODE(patch_loops, int, int);
MOULT_TEST_CODE(patch_calls_early, int, void (*)());
MOULT_TEST_CODE(patch_branch_inside, int, int);
}

namespace moult::internal {
namespace {

using testing::HasSubstr;

template <class F>
CodeAddress address(F* function) {
  return CodeAddress{reinterpret_cast<std::uintptr_t>(function)};
}

template <class Old, class Fresh>
PatchTarget target(std::string name, Old* old, const char* end, Fresh* replacement) {
  return {std::move(name), {address(old), address(end)}, address(replacement), {}};
}

#define MOULT_TEST_TARGET(name, replacement) target(#name, &(name), name##_end, &(replacement))

template <class R, class... Args>
R call(R (*function)(Args...), std::type_identity_t<Args>... args) {
  R (*volatile pointer)(Args...) = function;
  return pointer(args...);
}

template <class F>
std::vector<std::uint8_t> bytes_of(F* function) {
  const std::uint8_t* begin = reinterpret_cast<const std::uint8_t*>(function);
  return {begin, begin + 32};
}

Protection protection_at(CodeAddress at) {
  std::vector<Mapping> mappings = address_space().mappings();
  const Mapping* mapping = find_mapping(mappings, value(at));
  return mapping != nullptr ? mapping->protection : Protection::none;
}

constexpr Protection code = Protection::read | Protection::execute;

void commit(Patch& patch) {
  patch.commit(*StoppedWorld::stop({.keep_out = patch.keep_out()}));
  patch.finish();
}

void revert(Patch& patch) {
  patch.revert(*StoppedWorld::stop({}));
  patch.finish();
}

template <class Targets>
std::pair<ErrorCode, std::string> refusal_of(const Targets& targets) {
  try {
    Patch::prepare(targets);
    return {ErrorCode::internal, "prepared"};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

TEST(Patch, CallsReachTheNewFunctionUntilItIsReverted) {
  std::vector<std::uint8_t> before = bytes_of(&patch_one);
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_one, patch_two)};
  Patch patch = Patch::prepare(targets);
  EXPECT_EQ(call(&patch_one), 1);
  commit(patch);
  EXPECT_EQ(call(&patch_one), 2);
  EXPECT_EQ(protection_at(address(&patch_one)), code);
  revert(patch);
  EXPECT_EQ(call(&patch_one), 1);
  EXPECT_EQ(bytes_of(&patch_one), before);
  EXPECT_EQ(protection_at(address(&patch_one)), code);
}

TEST(Patch, APreparedRevertIsARevertToo) {
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_one, patch_two)};
  Patch patch = Patch::prepare(targets);
  commit(patch);
  patch.prepare_revert();
  EXPECT_EQ(call(&patch_one), 2);
  revert(patch);
  EXPECT_EQ(call(&patch_one), 1);
}

TEST(Patch, APatchThatIsNotCommittedLeavesNoTrace) {
  std::vector<std::uint8_t> before = bytes_of(&patch_one);
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_one, patch_two)};
  { Patch patch = Patch::prepare(targets); }
  EXPECT_EQ(bytes_of(&patch_one), before);
  EXPECT_EQ(protection_at(address(&patch_one)), code);
  targets = {MOULT_TEST_TARGET(patch_two, patch_one)};
  EXPECT_NO_THROW(Patch::prepare(targets)) << "the direction of the first must be forgotten";
}

TEST(Patch, ACommittedPatchOutlivesItsObject) {
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_kept, patch_two)};
  {
    Patch patch = Patch::prepare(targets);
    patch.commit(*StoppedWorld::stop({.keep_out = patch.keep_out()}));
  }
  EXPECT_EQ(call(&patch_kept), 2);
  EXPECT_EQ(protection_at(address(&patch_kept)), code);
}

TEST(Patch, SeveralFunctionsChangeTogetherAndTheNewestChangeWins) {
  std::vector<PatchTarget> both = {MOULT_TEST_TARGET(patch_one, patch_three),
                                   MOULT_TEST_TARGET(patch_two, patch_three)};
  std::vector<PatchTarget> newer = {MOULT_TEST_TARGET(patch_one, patch_kept)};
  Patch first = Patch::prepare(both);
  commit(first);
  EXPECT_EQ(call(&patch_one) + call(&patch_two), 6);
  Patch second = Patch::prepare(newer);
  commit(second);
  EXPECT_EQ(call(&patch_one), call(&patch_kept));
  revert(first);
  EXPECT_EQ(call(&patch_two), 2);
  EXPECT_EQ(call(&patch_one), call(&patch_kept));
  revert(second);
  EXPECT_EQ(call(&patch_one), 1);
}

TEST(Patch, AReplacementCanBeReplaced) {
  std::vector<PatchTarget> to_two = {MOULT_TEST_TARGET(patch_one, patch_two)};
  std::vector<PatchTarget> to_three = {MOULT_TEST_TARGET(patch_two, patch_three)};
  Patch first = Patch::prepare(to_two);
  commit(first);
  Patch second = Patch::prepare(to_three);
  commit(second);
  EXPECT_EQ(call(&patch_one), 3);
  revert(second);
  revert(first);
  EXPECT_EQ(call(&patch_one), 1);
}

TEST(Patch, AFunctionOfOneByteIsPatchedInItsPadding) {
  std::vector<std::uint8_t> before = bytes_of(&patch_only_ret);
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_only_ret, patch_three)};
  Patch patch = Patch::prepare(targets);
  commit(patch);
  EXPECT_EQ(call(&patch_only_ret), 3);
  revert(patch);
  EXPECT_EQ(bytes_of(&patch_only_ret), before);
}

TEST(Patch, NopsThatAreAnotherFunctionAreNoPadding) {
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_crowded, patch_three)};
  auto [reason, message] = refusal_of(targets);
  EXPECT_EQ(reason, ErrorCode::too_short) << message;
  EXPECT_THAT(message, HasSubstr("patch_crowded"));
}

TEST(Patch, ABranchIntoTheJumpIsRefused) {
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_branch_inside, patch_three)};
  auto [reason, message] = refusal_of(targets);
  EXPECT_EQ(reason, ErrorCode::unsupported_code) << message;
  EXPECT_THAT(message, HasSubstr("patch_branch_inside+0x2"));
}

TEST(Patch, ALoopThatBeginsAtTheEntryMustBeLeftAltogether) {
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_loops, patch_three)};
  Patch patch = Patch::prepare(targets);
  ASSERT_EQ(patch.keep_out().size(), 1u);
  EXPECT_EQ(patch.keep_out()[0], targets[0].range);
  commit(patch);
  EXPECT_EQ(call(&patch_loops, 1), 3);
  revert(patch);
  EXPECT_EQ(call(&patch_loops, 1), 9);
}

TEST(Patch, WrongArgumentsAreRefusedByName) {
  std::vector<PatchTarget> itself = {MOULT_TEST_TARGET(patch_one, patch_one)};
  EXPECT_EQ(refusal_of(itself).first, ErrorCode::invalid_argument);
  std::vector<PatchTarget> twice = {MOULT_TEST_TARGET(patch_one, patch_two), MOULT_TEST_TARGET(patch_one, patch_three)};
  EXPECT_EQ(refusal_of(twice).first, ErrorCode::invalid_argument);
  static int data = 0;
  PatchTarget no_code{"data", {address(&data), address(&data) + sizeof data}, address(&patch_one), {}};
  EXPECT_EQ(refusal_of(std::vector{no_code}).first, ErrorCode::invalid_argument);
  PatchTarget nowhere{"nowhere", {CodeAddress{0}, CodeAddress{16}}, address(&patch_one), {}};
  EXPECT_EQ(refusal_of(std::vector{nowhere}).first, ErrorCode::invalid_argument);
}

TEST(Patch, OneRefusedFunctionRefusesTheWholeChange) {
  std::vector<std::uint8_t> before = bytes_of(&patch_one);
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_one, patch_two),
                                      MOULT_TEST_TARGET(patch_crowded, patch_two)};
  EXPECT_EQ(refusal_of(targets).first, ErrorCode::too_short);
  EXPECT_EQ(bytes_of(&patch_one), before);
  EXPECT_EQ(protection_at(address(&patch_one)), code);
}

TEST(Patch, AThreadInsideTheBytesIsWaitedForAndNamed) {
  static std::binary_semaphore entered{0};
  static std::binary_semaphore released{0};
  static std::atomic<int> answer{0};
  void (*wait)() = [] {
    entered.release();
    released.acquire();
  };
  std::jthread inside([wait] { answer = call(&patch_calls_early, wait); });
  entered.acquire();
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_calls_early, patch_three)};
  Patch patch = Patch::prepare(targets);
  EXPECT_THROW(StoppedWorld::stop({.timeout = std::chrono::milliseconds(50), .keep_out = patch.keep_out()}), Error);
  released.release();
  inside.join();
  EXPECT_EQ(answer, 5);
  commit(patch);
  EXPECT_EQ(call(&patch_calls_early, wait), 3);
  revert(patch);
}

TEST(Patch, AThreadThatCallsAllTheTimeSeesTheChangeAndItsEnd) {
  std::atomic<int> last{0};
  std::jthread caller([&last](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      int answer = call(&patch_one);
      if (last.exchange(answer) != answer) last.notify_all();
    }
  });
  auto wait_for = [&last](int wanted) {
    for (int seen = last; seen != wanted; seen = last) last.wait(seen);
  };
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_one, patch_two)};
  for (int round = 0; round < 20; ++round) {
    wait_for(1);
    Patch patch = Patch::prepare(targets);
    commit(patch);
    wait_for(2);
    revert(patch);
  }
  wait_for(1);
}

TEST(Patch, AFaultAtAnyStepOfThePreparationLeavesNoTrace) {
  std::vector<std::uint8_t> before = bytes_of(&patch_one);
  // Far away, so that a slot is needed.
  void* page = ::mmap(reinterpret_cast<void*>(value(address(&patch_one)) ^ (std::uintptr_t{1} << 40)), 4096,
                      PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  std::vector<PatchTarget> targets = {MOULT_TEST_TARGET(patch_one, patch_two),
                                      MOULT_TEST_TARGET(patch_two, patch_three)};
  targets[0].replacement = address(page);
  int fired = 0;
  for (std::string_view point : fault_points()) {
    if (!point.starts_with("code.") || point.starts_with("code.loader.")) continue;
    for (FaultKind kind : {FaultKind::error, FaultKind::out_of_memory}) {
      ArmedFault armed(point, 1, kind);
      try {
        Patch::prepare(targets);
        EXPECT_FALSE(armed.fired()) << point;
      } catch (const Error&) {
      } catch (const std::bad_alloc&) {
      }
      fired += armed.fired() ? 1 : 0;
      EXPECT_EQ(bytes_of(&patch_one), before) << point;
      EXPECT_EQ(protection_at(address(&patch_one)), code) << point;
    }
  }
  EXPECT_GE(fired, 14) << "some point of the preparation was never reached";
  ::munmap(page, 4096);
  targets = {MOULT_TEST_TARGET(patch_two, patch_one)};
  EXPECT_NO_THROW(Patch::prepare(targets)) << "a jump from patch_one was left behind";
}

TEST(Patch, TenThousandFunctionsChangeInOneStopAndAreReverted) {
  constexpr std::size_t count = 10000;
  constexpr std::size_t size = count * 16;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::uint8_t* code_bytes = static_cast<std::uint8_t*>(memory);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(code_bytes + i * 16, bytes_of(&patch_one).data(), 16);
  ASSERT_EQ(::mprotect(memory, size, PROT_READ | PROT_EXEC), 0);
  std::vector<std::uint8_t> before(code_bytes, code_bytes + size);
  std::vector<PatchTarget> targets;
  CodeAddress begin = address(memory);
  for (std::size_t i = 0; i < count; ++i)
    targets.push_back({"f" + std::to_string(i), {begin + i * 16, begin + i * 16 + 6}, address(&patch_two), {}});
  auto answers = [&] {
    int sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += reinterpret_cast<int (*)()>(code_bytes + i * 16)();
    return sum;
  };
  {
    Patch patch = Patch::prepare(targets);
    commit(patch);
    EXPECT_EQ(answers(), 20000);
    revert(patch);
    EXPECT_EQ(answers(), 10000);
  }
  EXPECT_EQ(std::vector<std::uint8_t>(code_bytes, code_bytes + size), before);
  EXPECT_EQ(protection_at(begin), code);
  ::munmap(memory, size);
}

}  // namespace
}  // namespace moult::internal
