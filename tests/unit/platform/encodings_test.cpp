#include "platform/x86_64/encodings.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace moult::internal::x86_64 {
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

TEST(Encodings, CallsAreKnownByTheirLastBytes) {
  using Bytes = std::array<std::uint8_t, longest_call>;
  const std::array calls = {
      Bytes{0x90, 0x90, 0xE8, 1, 2, 3, 4},              // call rel32
      Bytes{0x90, 0x90, 0x90, 0x90, 0x90, 0xFF, 0xD0},  // call *%rax
      Bytes{0x90, 0x90, 0x90, 0x90, 0x41, 0xFF, 0xD4},  // call *%r12
      Bytes{0x90, 0x90, 0x90, 0x90, 0xFF, 0x50, 0x18},  // call *0x18(%rax)
      Bytes{0x90, 0x90, 0x90, 0xFF, 0x54, 0x24, 0x08},  // call *8(%rsp)
      Bytes{0x90, 0xFF, 0x15, 0x01, 0x02, 0x03, 0x04},  // call *disp(%rip)
      Bytes{0xFF, 0x94, 0x24, 0x80, 0x00, 0x00, 0x00},  // call *0x80(%rsp)
  };
  for (const Bytes& call : calls) EXPECT_TRUE(ends_with_call(call)) << &call - calls.data();
  EXPECT_FALSE(ends_with_call(Bytes{0xC3, 0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00}));  // ret, nop
  EXPECT_FALSE(ends_with_call(Bytes{0x90, 0x90, 0xE9, 1, 2, 3, 4}));              // jmp rel32
  EXPECT_FALSE(ends_with_call(Bytes{0x90, 0x90, 0x90, 0x90, 0x90, 0xFF, 0xE0}));  // jmp *%rax
}

}  // namespace
}  // namespace moult::internal::x86_64
