#include "diff/code_alignment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace moult::internal::diff {
namespace {

using Code = std::vector<std::uint8_t>;

std::optional<CodeAlignment> aligned(const Code& object, const Code& linked) {
  return align_code(object, linked, [](std::uint64_t, std::uint64_t) { return false; });
}

const Code short_jump{0x85, 0xC0,               // test %eax, %eax
                      0x74, 0x01,               // je +1
                      0xC3,                     // ret
                      0x31, 0xC0, 0xC3};        // xor %eax, %eax; ret
const Code long_jump{0x85, 0xC0,                //
                     0x0F, 0x84, 1,   0, 0, 0,  // the same je
                     0xC3,                      //
                     0x31, 0xC0, 0xC3};

TEST(CodeAlignment, AJumpMayHaveAnotherLength) {
  const std::optional<CodeAlignment> alignment = aligned(short_jump, long_jump);
  ASSERT_TRUE(alignment);
  ASSERT_EQ(alignment->jumps.size(), 1);
  EXPECT_EQ(alignment->jumps[0].target, 5);
  EXPECT_EQ(alignment->jumps[0].linked_target, 9);
  EXPECT_EQ(alignment->places.at(5).end, 9);
  ASSERT_EQ(alignment->stretches.size(), 2);
  EXPECT_EQ(alignment->stretches[1].begin, 4);
  EXPECT_EQ(alignment->stretches[1].linked, 8);
}

TEST(CodeAlignment, PaddingDoesNotCount) {
  Code padded = short_jump;
  padded.insert(padded.begin() + 5, {0x66, 0x90, 0x90});  // two nops before xor
  padded[3] += 3;                                         // je goes behind them
  const std::optional<CodeAlignment> more = aligned(short_jump, padded);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->places.at(5).begin, 5);
  EXPECT_EQ(more->places.at(5).end, 8);
  EXPECT_TRUE(aligned(padded, short_jump));
}

TEST(CodeAlignment, AnotherConditionIsADifference) {
  Code other = long_jump;
  other[3] = 0x85;  // jne
  EXPECT_FALSE(aligned(short_jump, other));
}

TEST(CodeAlignment, CodeThatIsCutShortIsADifference) {
  for (std::size_t size = 0; size < long_jump.size(); ++size)
    EXPECT_FALSE(aligned(short_jump, {long_jump.begin(), long_jump.begin() + static_cast<std::ptrdiff_t>(size)}))
        << size;
}

TEST(CodeAlignment, MoreCodeIsADifference) {
  Code more = long_jump;
  more.push_back(0xC3);
  EXPECT_FALSE(aligned(short_jump, more));
}

}  // namespace
}  // namespace moult::internal::diff
