#include "control/server.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(Token, IsTheWholeTokenAndNothingElse) {
  EXPECT_TRUE(is_token("a long enough token", "a long enough token"));
  EXPECT_FALSE(is_token("", "a long enough token"));
  EXPECT_FALSE(is_token("a long enough toke", "a long enough token"));
  EXPECT_FALSE(is_token("a long enough token!", "a long enough token"));
  EXPECT_FALSE(is_token("A long enough token", "a long enough token"));
  EXPECT_FALSE(is_token("abab", "ab"));
}

TEST(Token, NobodyHasTheEmptyOne) { EXPECT_FALSE(is_token("", "")); }

}  // namespace
}  // namespace moult::internal
