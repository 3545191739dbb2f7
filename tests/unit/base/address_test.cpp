#include "base/address.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(Address, IsShownInHex) {
  EXPECT_EQ(hex_text(0), "0x0");
  EXPECT_EQ(hex_text(0x7f00deadbeef), "0x7f00deadbeef");
  EXPECT_EQ(hex_text(~std::uintptr_t{0}), "0xffffffffffffffff");
}

}  // namespace
}  // namespace moult::internal
