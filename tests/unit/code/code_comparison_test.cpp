#include "code/code_comparison.hpp"

#include <gtest/gtest.h>

#include <cstdint>

asm(R"(
  .text
compared_data: .long 7
compared_callee: ret
compared_one:
  test %edi, %edi
  je 1f
  call compared_callee
  lea compared_data(%rip), %rax
1: ret
compared_one_end:
  .p2align 5
compared_copy:
  test %edi, %edi
  je 1f
  call compared_callee
  lea compared_data(%rip), %rax
1: ret
compared_copy_end:
compared_other_data:
  test %edi, %edi
  je 1f
  call compared_callee
  lea compared_callee(%rip), %rax
1: ret
compared_other_data_end:
compared_other_callee:
  test %edi, %edi
  je 1f
  call compared_one
  lea compared_data(%rip), %rax
1: ret
compared_other_callee_end:
compared_other_register:
  test %esi, %esi
  je 1f
  call compared_callee
  lea compared_data(%rip), %rax
1: ret
compared_other_register_end:
compared_other_branch:
  test %edi, %edi
  jne 1f
  call compared_callee
  lea compared_data(%rip), %rax
1: ret
compared_other_branch_end:
compared_jump:
  endbr64
  jmp compared_one
compared_jump_end:
compared_jump_elsewhere:
  jmp compared_copy
compared_jump_elsewhere_end:
)");

#define MOULT_COMPARED(name) extern "C" const std::uint8_t compared_##name[], compared_##name##_end[]
MOULT_COMPARED(one);
MOULT_COMPARED(copy);
MOULT_COMPARED(other_data);
MOULT_COMPARED(other_callee);
MOULT_COMPARED(other_register);
MOULT_COMPARED(other_branch);
MOULT_COMPARED(jump);
MOULT_COMPARED(jump_elsewhere);

namespace moult::internal {
namespace {

CodeRange range(const std::uint8_t* begin, const std::uint8_t* end) {
  return {CodeAddress{reinterpret_cast<std::uintptr_t>(begin)}, CodeAddress{reinterpret_cast<std::uintptr_t>(end)}};
}

#define MOULT_RANGE(name) range(compared_##name, compared_##name##_end)

TEST(CodeComparison, ACopyWithTheSameOperandsIsTheSame) {
  EXPECT_TRUE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(copy)));
  EXPECT_TRUE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(one)));
}

TEST(CodeComparison, OtherOperandsAreNot) {
  EXPECT_FALSE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(other_data)));
  EXPECT_FALSE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(other_callee)));
  EXPECT_FALSE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(other_register)));
  EXPECT_FALSE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(other_branch)));
}

TEST(CodeComparison, AJumpToTheCodeStandsForIt) {
  EXPECT_TRUE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(jump)));
  EXPECT_FALSE(is_same_code(MOULT_RANGE(one), MOULT_RANGE(jump_elsewhere)));
}

}  // namespace
}  // namespace moult::internal
