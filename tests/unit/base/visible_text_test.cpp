#include "base/visible_text.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(VisibleText, SpellsControlCharactersOut) {
  EXPECT_EQ(visible(std::string_view("a\033[31m\0\r\x7f", 9)), "a\\u001b[31m\\u0000\\u000d\\u007f");
  EXPECT_EQ(visible("\xC2\x9b"), "\\u009b") << "of the second set";
}

TEST(VisibleText, LeavesEverythingElseAlone) {
  EXPECT_EQ(visible("two\nlines\t\xC2\xB5 \xC3\xA4 \\u001b \xC2"), "two\nlines\t\xC2\xB5 \xC3\xA4 \\u001b \xC2");
}

}  // namespace
}  // namespace moult::internal
