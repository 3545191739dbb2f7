#include "code/branches.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "unwind/unwind_table.hpp"

// Code whose bytes are known: a call, jumps, and a constant with the bytes of a call in it.
asm(R"(
  .pushsection .text
  .type branches_target, @function
branches_target:
  .cfi_startproc
  jne branches_target
  ret
  .cfi_endproc
  .size branches_target, . - branches_target

  .type branches_caller, @function
branches_caller:
  .cfi_startproc
  .byte 0x48, 0xb8, 0xe8
  .long branches_target - . - 4
  .byte 0, 0, 0
branches_call:
  call branches_target
branches_conditional_jump:
  .byte 0x0f, 0x84
  .long branches_target - . - 4
branches_jump:
  .byte 0xe9
  .long branches_target - . - 4
branches_short_jump:
  .byte 0xeb
  .byte branches_target - . - 1
branches_short_conditional_jump:
  .byte 0x74
  .byte branches_target - . - 1
  .cfi_endproc
  .size branches_caller, . - branches_caller
  .popsection
)");

extern "C" {
void branches_target();
void branches_caller();
void branches_call();
void branches_conditional_jump();
void branches_jump();
void branches_short_jump();
void branches_short_conditional_jump();
}

namespace moult::internal {
namespace {

CodeAddress address(void (*place)()) { return CodeAddress{reinterpret_cast<std::uintptr_t>(place)}; }

std::vector<Branch> found(void (*target)()) {
  const CodeRange code = unwind_entry_at(address(branches_caller)).value();
  return branches_to(std::vector{address(target)}, {address(branches_target), code.end});
}

TEST(Branches, OfOtherCodeAreFoundAndNotWhatLooksLikeOne) {
  const std::vector<Branch> all = found(branches_target);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].at, address(branches_call));
  EXPECT_EQ(all[1].at, address(branches_conditional_jump));
  EXPECT_EQ(all[2].at, address(branches_jump));
  EXPECT_EQ(all[3].at, address(branches_short_jump));
  EXPECT_EQ(all[4].at, address(branches_short_conditional_jump));
  for (const Branch& each : all) {
    EXPECT_EQ(each.target, address(branches_target));
    EXPECT_EQ(each.code.begin, address(branches_caller));
    EXPECT_EQ(each.is_call, each.at == address(branches_call));
  }
}

TEST(Branches, ToOtherPlacesAreNotFound) { EXPECT_THAT(found(branches_jump), testing::IsEmpty()); }

}  // namespace
}  // namespace moult::internal
