#include "platform/x86_64/encodings.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace moult::x86_64 {
namespace {

TEST(Encodings, AJumpCountsFromItsEnd) {
  std::optional<JumpRel32> jump = jump_to(CodeAddress{0x1000}, CodeAddress{0x1000});
  ASSERT_TRUE(jump);
  unsigned char bytes[5];
  std::memcpy(bytes, &*jump, sizeof bytes);
  const unsigned char expected[5] = {0xE9, 0xFB, 0xFF, 0xFF, 0xFF};
  EXPECT_EQ(std::memcmp(bytes, expected, sizeof bytes), 0);
}

TEST(Encodings, AJumpThroughMemoryNamesTheAddressFromItsEnd) {
  std::optional<JumpThrough> jump = jump_through(CodeAddress{0x1000}, 0x1006 + 0x12345678);
  ASSERT_TRUE(jump);
  unsigned char bytes[6];
  std::memcpy(bytes, &*jump, sizeof bytes);
  const unsigned char expected[6] = {0xFF, 0x25, 0x78, 0x56, 0x34, 0x12};
  EXPECT_EQ(std::memcmp(bytes, expected, sizeof bytes), 0);
}

TEST(Encodings, TwoGigabytesAreTheReachAndNotAByteMore) {
  CodeAddress at{0x7f0000000000};
  std::uintptr_t end = value(at) + sizeof(JumpRel32);
  EXPECT_TRUE(jump_to(at, CodeAddress{end + 0x7fffffff}));
  EXPECT_FALSE(jump_to(at, CodeAddress{end + 0x80000000}));
  EXPECT_TRUE(jump_to(at, CodeAddress{end - 0x80000000}));
  EXPECT_FALSE(jump_to(at, CodeAddress{end - 0x80000001}));
}

}  // namespace
}  // namespace moult::x86_64
