// Moved instructions: the copy's content, and the refused ones.
#include "code/relocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uintptr_t place = 0x100000;
constexpr std::uintptr_t copy = 0x200000;
constexpr std::size_t jump_size = 5;

MovedCode moved(const Bytes& bytes) {
  return move_code("f", {CodeAddress{place}, bytes}, jump_size, CodeAddress{copy});
}

/// Where the four bytes at `at` lead to, when the instruction ends with them.
std::uintptr_t target_of(const MovedCode& code, std::size_t at) {
  std::int32_t distance = 0;
  std::memcpy(&distance, code.bytes.data() + at, sizeof distance);
  return copy + at + 4 + static_cast<std::uintptr_t>(std::intptr_t{distance});
}

void expect_refused(const Bytes& bytes, const std::string& words) {
  try {
    moved(bytes);
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported_code);
    EXPECT_THAT(error.what(), testing::HasSubstr(words));
  }
}

TEST(Relocation, PlainInstructionsAreCopiedAndTheFunctionContinuesBehindThem) {
  // push %rbp; mov %rsp,%rbp; sub $16,%rsp; nop
  const Bytes bytes{0x55, 0x48, 0x89, 0xE5, 0x48, 0x83, 0xEC, 0x10, 0x90};
  const MovedCode code = moved(bytes);
  EXPECT_EQ(Bytes(code.bytes.begin(), code.bytes.begin() + 8), Bytes(bytes.begin(), bytes.begin() + 8));
  EXPECT_EQ(code.bytes[8], 0xE9);
  EXPECT_EQ(target_of(code, 9), place + 8);
  EXPECT_EQ(code.bytes.size(), 13u);
}

TEST(Relocation, EachInstructionStandsForTheOneItWasCopiedFrom) {
  const MovedCode code = moved({0x55, 0x48, 0x89, 0xE5, 0x48, 0x83, 0xEC, 0x10});
  ASSERT_EQ(code.steps.size(), 4u);
  const std::array<std::size_t, 4> offsets{0, 1, 4, 8};
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    EXPECT_EQ(code.steps[i].offset, offsets[i]);
    EXPECT_EQ(code.steps[i].original, CodeAddress{place + offsets[i]});
  }
}

TEST(Relocation, AnOperandRelativeToTheInstructionStaysWhereItWas) {
  // mov 0x100(%rip),%eax
  const MovedCode code = moved({0x8B, 0x05, 0x00, 0x01, 0x00, 0x00});
  EXPECT_EQ(target_of(code, 2), place + 6 + 0x100);
}

TEST(Relocation, TheOperandIsFoundInFrontOfAnImmediateToo) {
  // cmpl $7,0x100(%rip)
  const MovedCode code = moved({0x83, 0x3D, 0x00, 0x01, 0x00, 0x00, 0x07});
  EXPECT_EQ(target_of(code, 2) + 1, place + 7 + 0x100);
  EXPECT_EQ(code.bytes[6], 0x07);
}

TEST(Relocation, AShortBranchBecomesALongOne) {
  // test %edi,%edi; je +0x20; nop
  const MovedCode code = moved({0x85, 0xFF, 0x74, 0x20, 0x90});
  EXPECT_EQ(code.bytes[2], 0x0F);
  EXPECT_EQ(code.bytes[3], 0x84);
  EXPECT_EQ(target_of(code, 4), place + 4 + 0x20);
}

TEST(Relocation, NothingIsBehindAJumpOrAReturn) {
  const MovedCode jump = moved({0xEB, 0x20, 0x90, 0x90, 0x90});
  EXPECT_EQ(jump.bytes.size(), 5u);
  EXPECT_EQ(target_of(jump, 1), place + 2 + 0x20);
  EXPECT_EQ(moved({0xC3, 0x90, 0x90, 0x90, 0x90}).bytes, Bytes{0xC3});
}

TEST(Relocation, ACallLeavesTheReturnAddressThatItHad) {
  // sub $8,%rsp; call +0x1000
  const MovedCode code = moved({0x48, 0x83, 0xEC, 0x08, 0xE8, 0x00, 0x10, 0x00, 0x00});
  EXPECT_EQ(code.bytes[4], 0xFF);
  EXPECT_EQ(code.bytes[5], 0x35);
  const std::uintptr_t pushed_from = target_of(code, 6);
  EXPECT_EQ(code.bytes[10], 0xE9);
  EXPECT_EQ(target_of(code, 11), place + 9 + 0x1000);
  std::uint64_t pushed = 0;
  ASSERT_LE(pushed_from + 8, copy + code.bytes.size());
  std::memcpy(&pushed, code.bytes.data() + (pushed_from - copy), sizeof pushed);
  EXPECT_EQ(pushed, place + 9);
  EXPECT_EQ(code.steps.back().original, std::nullopt);
}

TEST(Relocation, AnIndirectCallBecomesAnIndirectJump) {
  // mov %rdi,%rbx; call *0x10(%rax)
  const MovedCode code = moved({0x48, 0x89, 0xFB, 0xFF, 0x50, 0x10});
  EXPECT_EQ(code.bytes[3], 0xFF);
  EXPECT_EQ(code.bytes[4], 0x35);
  EXPECT_EQ(Bytes(code.bytes.begin() + 9, code.bytes.begin() + 12), (Bytes{0xFF, 0x60, 0x10}));
}

TEST(Relocation, AnInstructionWithoutALongFormIsRefused) {
  expect_refused({0xE3, 0x10, 0x90, 0x90, 0x90}, "f+0x0: the instruction there has no form that reaches far enough");
  expect_refused({0x90, 0xE2, 0x10, 0x90, 0x90}, "f+0x1: ");
}

TEST(Relocation, ACallThatReturnsIntoTheOverwrittenBytesIsRefused) {
  expect_refused({0x53, 0xFF, 0xD0, 0x90, 0x90}, "returns into the bytes of the entry jump");
}

TEST(Relocation, ACallByWayOfTheStackIsRefused) {
  expect_refused({0x90, 0xFF, 0x54, 0x24, 0x08}, "is a call by way of the stack");
}

TEST(Relocation, ATargetOutOfReachIsRefused) {
  const Bytes bytes{0x8B, 0x05, 0x00, 0x01, 0x00, 0x00};
  try {
    move_code("f", {CodeAddress{0x7F0000000000}, bytes}, jump_size, CodeAddress{copy});
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::no_room);
  }
}

}  // namespace
}  // namespace moult::internal
