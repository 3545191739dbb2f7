#include "code/entry_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "moult/error.hpp"
#include "platform/memory.hpp"

// The functions to be planned. None of them is run.
asm(R"(
.macro function name
  .balign 16, 0xcc
  \name:
.endm
.macro end name
  \name\()_end:
.endm
.pushsection .text
function plan_plain
  endbr64
  push %rbp
  mov %rsp, %rbp
  sub $16, %rsp
  call plan_plain
  leave
  ret
end plan_plain
function plan_two_endbr64
  endbr64
  endbr64
  mov $1, %eax
  mov $2, %eax
  ret
end plan_two_endbr64
function plan_only_ret
  ret
end plan_only_ret
  nopl 0(%rax)
  .byte 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
function plan_ret_before_another
  ret
end plan_ret_before_another
  mov $1, %eax
  mov $1, %eax
function plan_loop_to_entry
  dec %edi
  jnz plan_loop_to_entry
  mov $1, %eax
  ret
end plan_loop_to_entry
function plan_loop_behind_endbr64
  endbr64
1: sub $1, %edi
  jnz 1b
  mov $1, %eax
  ret
end plan_loop_behind_endbr64
function plan_loop_to_byte_2
  xor %eax, %eax
1: dec %edi
  jnz 1b
  mov $1, %eax
  ret
end plan_loop_to_byte_2
function plan_jrcxz
  nop
1: jrcxz 1b
  mov $1, %eax
  ret
end plan_jrcxz
function plan_lands_on_byte_5
  mov $1, %eax
1: dec %edi
  jnz 1b
  mov $1, %eax
  ret
end plan_lands_on_byte_5
function plan_calls_inside
  nop
1: mov $1, %eax
  call 1b
  ret
end plan_calls_inside
function plan_cold_part_returns_to_byte_3
  test %edi, %edi
  nop
1: jne plan_cold_part
  mov $1, %eax
  ret
end plan_cold_part_returns_to_byte_3
function plan_cold_part
  jmp plan_cold_part_returns_to_byte_3 + 3
end plan_cold_part
function plan_relative_table
  mov %edi, %edi
1: lea plan_relative_entries(%rip), %rdx
  movslq (%rdx,%rdi,4), %rax
  add %rdx, %rax
  jmp *%rax
2: mov $2, %eax
  ret
end plan_relative_table
function plan_safe_table
  mov %edi, %edi
  lea plan_safe_entries(%rip), %rdx
  movslq (%rdx,%rdi,4), %rax
  add %rdx, %rax
  jmp *%rax
3: mov $2, %eax
  ret
end plan_safe_table
function plan_absolute_table
  mov %edi, %edi
4: lea plan_absolute_entries(%rip), %rdx
  jmp *(%rdx,%rdi,8)
5: mov $2, %eax
  ret
end plan_absolute_table
function plan_computed_goto
  xor %eax, %eax
6: lea 6b(%rip), %rdx
  jmp *%rdx
end plan_computed_goto
function plan_breakpoint
  int3
  mov %rsp, %rbp
  sub $16, %rsp
  ret
end plan_breakpoint
function plan_breakpoint_after_prologue
  push %rbp
  mov %rsp, %rbp
  int3
  mov $1, %eax
  ret
end plan_breakpoint_after_prologue
function plan_data_inside
  mov $1, %eax
  ret
  .byte 0x06, 0x06, 0x06
end plan_data_inside
function plan_cut_off
  mov $1, %eax
  mov $1, %eax
  .byte 0xe8, 0
end plan_cut_off
  .balign 16, 0xcc
.popsection
.pushsection .data.rel.ro, "aw"
plan_relative_entries:
  .long 2b - plan_relative_entries, 1b - plan_relative_entries, 2b - plan_relative_entries
  .long 0x7fffffff
plan_safe_entries:
  .long 3b - plan_safe_entries, 3b - plan_safe_entries
  .long 0x7fffffff
  .balign 8
plan_absolute_entries:
  .quad 5b, 4b, 0
.popsection
)");

#define MOULT_TEST_CODE(name) extern "C" const std::uint8_t name[], name##_end[]
MOULT_TEST_CODE(plan_plain);
MOULT_TEST_CODE(plan_two_endbr64);
MOULT_TEST_CODE(plan_only_ret);
MOULT_TEST_CODE(plan_ret_before_another);
MOULT_TEST_CODE(plan_loop_to_entry);
MOULT_TEST_CODE(plan_loop_behind_endbr64);
MOULT_TEST_CODE(plan_loop_to_byte_2);
MOULT_TEST_CODE(plan_jrcxz);
MOULT_TEST_CODE(plan_lands_on_byte_5);
MOULT_TEST_CODE(plan_calls_inside);
MOULT_TEST_CODE(plan_cold_part_returns_to_byte_3);
MOULT_TEST_CODE(plan_cold_part);
MOULT_TEST_CODE(plan_relative_table);
MOULT_TEST_CODE(plan_safe_table);
MOULT_TEST_CODE(plan_absolute_table);
MOULT_TEST_CODE(plan_computed_goto);
MOULT_TEST_CODE(plan_breakpoint);
MOULT_TEST_CODE(plan_breakpoint_after_prologue);
MOULT_TEST_CODE(plan_data_inside);
MOULT_TEST_CODE(plan_cut_off);

namespace moult::internal {
namespace {

using testing::HasSubstr;

CodeBytes bytes_between(const std::uint8_t* begin, const std::uint8_t* end) {
  return {CodeAddress{reinterpret_cast<std::uintptr_t>(begin)}, {begin, end}};
}

bool read_here(std::uintptr_t address, std::span<std::uint8_t> to) {
  std::memcpy(to.data(), reinterpret_cast<const void*>(address), to.size());
  return true;
}

FunctionCode function_between(const std::uint8_t* begin, const std::uint8_t* end) {
  return {.name = "f", .body = bytes_between(begin, end), .after = {end, 16}, .fragments = {}, .read = read_here};
}

#define MOULT_TEST_FUNCTION(name) function_between(name, name##_end)

/// The refusal's code and message, or "planned".
std::pair<ErrorCode, std::string> refusal_of(const FunctionCode& function, std::size_t least) {
  try {
    plan_entry(function, least);
    return {ErrorCode::internal, "planned"};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

#define MOULT_EXPECT_REFUSED(function, least, expected_code, words) \
  do {                                                              \
    auto [code, message] = refusal_of(function, least);             \
    EXPECT_EQ(code, expected_code) << message;                      \
    EXPECT_THAT(message, HasSubstr(words));                         \
    EXPECT_THAT(message, HasSubstr("f"));                           \
  } while (false)

TEST(EntryPlan, TheJumpGoesBehindTheEndbr64) {
  FunctionCode function = MOULT_TEST_FUNCTION(plan_plain);
  EntryPlan plan = plan_entry(function, 6);
  EXPECT_EQ(plan.place, function.body.begin + 4);
  EXPECT_GE(plan.room, 6u);
  EXPECT_FALSE(plan.is_loop_head) << "a call of itself is no loop";
}

TEST(EntryPlan, TheJumpGoesBehindTheLastOfSeveralEndbr64) {
  FunctionCode function = MOULT_TEST_FUNCTION(plan_two_endbr64);
  EXPECT_EQ(plan_entry(function, 6).place, function.body.begin + 8);
}

TEST(EntryPlan, PaddingBehindAShortFunctionIsRoom) {
  EntryPlan plan = plan_entry(MOULT_TEST_FUNCTION(plan_only_ret), 6);
  EXPECT_EQ(plan.room, 16u);
}

TEST(EntryPlan, PaddingIsUsedUpToTheNextSixteenBytesOnly) {
  FunctionCode function = MOULT_TEST_FUNCTION(plan_only_ret);
  std::vector<std::uint8_t> fillers(32, 0x90);
  function.after = fillers;
  EXPECT_EQ(plan_entry(function, 5).room, 16u);
  function.body.begin = CodeAddress{0x1000 + 11};
  EXPECT_EQ(plan_entry(function, 5).room, 5u);
  function.body.begin = CodeAddress{0x1000 + 12};
  MOULT_EXPECT_REFUSED(function, 5, ErrorCode::too_short, "room for 4 of the 5 bytes");
}

TEST(EntryPlan, AFunctionRightBeforeAnotherIsTooShort) {
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_ret_before_another), 5, ErrorCode::too_short,
                       "room for 1 of the 5 bytes");
}

TEST(EntryPlan, PaddingThatBelongsToAnotherFunctionIsNoRoom) {
  FunctionCode function = MOULT_TEST_FUNCTION(plan_only_ret);
  function.after = function.after.first(3);
  EXPECT_EQ(refusal_of(function, 5).first, ErrorCode::too_short);
}

TEST(EntryPlan, AFunctionWithoutSizeIsTooShort) {
  FunctionCode function = MOULT_TEST_FUNCTION(plan_only_ret);
  function.body.bytes = {};
  MOULT_EXPECT_REFUSED(function, 5, ErrorCode::too_short, ".size");
}

TEST(EntryPlan, ALoopBackToTheEntryIsAllowedAndReported) {
  EXPECT_TRUE(plan_entry(MOULT_TEST_FUNCTION(plan_loop_to_entry), 6).is_loop_head);
  EXPECT_TRUE(plan_entry(MOULT_TEST_FUNCTION(plan_loop_behind_endbr64), 6).is_loop_head);
}

TEST(EntryPlan, ABranchIntoTheBytesOfTheJumpIsRefused) {
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_loop_to_byte_2), 5, ErrorCode::unsupported_code, "f+0x2");
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_jrcxz), 5, ErrorCode::unsupported_code, "f+0x1");
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_calls_inside), 5, ErrorCode::unsupported_code, "f+0x1");
}

TEST(EntryPlan, ABranchToTheByteBehindTheJumpIsAllowed) {
  EXPECT_EQ(plan_entry(MOULT_TEST_FUNCTION(plan_lands_on_byte_5), 5).room, 5u);
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_lands_on_byte_5), 6, ErrorCode::unsupported_code, "f+0x5");
}

TEST(EntryPlan, ABranchFromASplitOffFragmentCounts) {
  FunctionCode function = MOULT_TEST_FUNCTION(plan_cold_part_returns_to_byte_3);
  EXPECT_GE(plan_entry(function, 6).room, 6u);
  function.fragments.push_back(bytes_between(plan_cold_part, plan_cold_part_end));
  MOULT_EXPECT_REFUSED(function, 5, ErrorCode::unsupported_code, "f+0x3");
}

TEST(EntryPlan, AJumpTableEntryIntoTheBytesOfTheJumpIsRefused) {
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_relative_table), 5, ErrorCode::unsupported_code, "f+0x2");
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_absolute_table), 5, ErrorCode::unsupported_code, "f+0x2");
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_computed_goto), 5, ErrorCode::unsupported_code, "f+0x2");
}

TEST(EntryPlan, AJumpTableThatLeadsElsewhereIsAllowed) {
  EXPECT_GE(plan_entry(MOULT_TEST_FUNCTION(plan_safe_table), 6).room, 6u);
}

TEST(EntryPlan, ABreakpointInTheBytesOfTheJumpIsRefused) {
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_breakpoint), 5, ErrorCode::unsupported_code, "breakpoint");
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_breakpoint_after_prologue), 5, ErrorCode::unsupported_code,
                       "breakpoint");
}

TEST(EntryPlan, BytesThatAreNoInstructionAreRefused) {
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_data_inside), 5, ErrorCode::unsupported_code, "f+0x6");
  MOULT_EXPECT_REFUSED(MOULT_TEST_FUNCTION(plan_cut_off), 5, ErrorCode::unsupported_code, "f+0xa");
}

TEST(EntryPlan, AnyBytesAreEitherPlannedWithinThemselvesOrRefused) {
  std::mt19937 random(20240607);
  std::uniform_int_distribution<int> byte(0, 255);
  int planned = 0;
  for (int round = 0; round < 20000; ++round) {
    // Half the time a start that decodes, so that the branches behind it are looked at too.
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(byte(random)) % 48 + 16);
    for (std::uint8_t& each : bytes)
      each = static_cast<std::uint8_t>(round % 2 != 0 ? byte(random) : 0x40 + byte(random) % 64);
    std::size_t size = bytes.size() - 16;
    std::span<const std::uint8_t> all = bytes;
    FunctionCode function{.name = "f",
                          .body = {CodeAddress{0x400000 + static_cast<std::uintptr_t>(byte(random))}, all.first(size)},
                          .after = all.subspan(size),
                          .fragments = {},
                          .read = [](std::uintptr_t, std::span<std::uint8_t>) { return false; }};
    try {
      EntryPlan plan = plan_entry(function, 5);
      ++planned;
      ASSERT_GE(plan.place, function.body.begin);
      ASSERT_GE(plan.room, 5u);
      ASSERT_LE(value(plan.place) + plan.room, value(function.body.begin) + bytes.size());
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == ErrorCode::too_short || error.code() == ErrorCode::unsupported_code);
    }
  }
  EXPECT_GT(planned, 100) << "the bytes tried were all refused: the test shows nothing";
}

}  // namespace
}  // namespace moult::internal
