#include "code/function_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

// A function with a jump table as compilers make it, and one with a table's address that is none's and a tail call.
asm(R"(
  .pushsection .text
  .p2align 4
body_with_table:
  lea body_table(%rip), %rdx
  movslq (%rdx, %rdi, 4), %rax
  add %rdx, %rax
body_table_jump:
  jmp *%rax
body_one:
  mov $1, %eax
body_two:
  ret
body_with_table_end:

  .p2align 4
body_with_tail_call:
  lea body_table(%rip), %rsi
  mov (%rdi), %rax
body_tail_call:
  jmp *16(%rax)
body_with_tail_call_end:

  .p2align 4
body_with_both:
  test %esi, %esi
  je body_other_way
  lea body_other_table(%rip), %rdx
  movslq (%rdx, %rdi, 4), %rax
  add %rdx, %rax
body_inner_jump:
  jmp *%rax
body_inner:
  ret
body_other_way:
  mov (%rdi), %rax
  mov 8(%rax), %rax
body_outer_jump:
  jmp *%rax
body_with_both_end:
  .popsection

  .pushsection .rodata
  .p2align 2
body_table:
  .long body_one - body_table
  .long body_two - body_table
  .long 0
body_other_table:
  .long body_inner - body_other_table
  .long 0
  .popsection
)");

extern "C" {
void body_with_table();
void body_table_jump();
void body_one();
void body_two();
void body_with_table_end();
void body_with_tail_call();
void body_tail_call();
void body_with_tail_call_end();
void body_with_both();
void body_inner_jump();
void body_inner();
void body_outer_jump();
void body_with_both_end();
}

namespace moult::internal {
namespace {

CodeAddress place_of(void (*place)()) { return CodeAddress{reinterpret_cast<std::uintptr_t>(place)}; }

FunctionBody body_of(void (*begin)(), void (*end)()) {
  const CodeRange code{place_of(begin), place_of(end)};
  return FunctionBody::read({&code, 1}).value();
}

TEST(FunctionBody, GoesOnAtThePlacesOfAJumpTable) {
  const FunctionBody body = body_of(body_with_table, body_with_table_end);
  const CodeAddress jump = place_of(body_table_jump);
  EXPECT_FALSE(body.leaves(body.steps().at(jump)));
  EXPECT_THAT(body.next(jump), testing::UnorderedElementsAre(place_of(body_one), place_of(body_two)));
}

TEST(FunctionBody, IsLeftByATailCallThroughATableOfFunctions) {
  const FunctionBody body = body_of(body_with_tail_call, body_with_tail_call_end);
  EXPECT_TRUE(body.leaves(body.steps().at(place_of(body_tail_call))));
  EXPECT_THAT(body.next(place_of(body_tail_call)), testing::IsEmpty());
}

TEST(FunctionBody, TellsATailCallFromTheJumpThroughItsTable) {
  const FunctionBody body = body_of(body_with_both, body_with_both_end);
  EXPECT_FALSE(body.leaves(body.steps().at(place_of(body_inner_jump))));
  EXPECT_THAT(body.next(place_of(body_inner_jump)), testing::ElementsAre(place_of(body_inner)));
  EXPECT_TRUE(body.leaves(body.steps().at(place_of(body_outer_jump))));
}

TEST(FunctionBody, AnAddressByTheInstructionsPlaceIsAConstant) {
  const FunctionBody body = body_of(body_with_table, body_with_table_end);
  const Step& first = body.steps().at(place_of(body_with_table));
  EXPECT_TRUE(first.rip_operand);
  EXPECT_EQ(first.use.constant, first.rip_operand);
}

}  // namespace
}  // namespace moult::internal
