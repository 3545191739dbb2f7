#include "symbols/name_query.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(Spelling, CountsWhatAHandMistypes) {
  EXPECT_EQ(typos_between("answer", "answer"), 0U);
  EXPECT_EQ(typos_between("answer", "anwser"), 1U) << "swapped";
  EXPECT_EQ(typos_between("answer", "answr"), 1U) << "left out";
  EXPECT_EQ(typos_between("answer", "annswer"), 1U) << "added";
  EXPECT_EQ(typos_between("answer", "anseer"), 1U) << "mistaken";
  EXPECT_EQ(typos_between("", "abc"), 3U);
  EXPECT_EQ(typos_between("abc", ""), 3U);
}

TEST(Spelling, ShortNamesAreNearOnlyToThemselves) {
  EXPECT_FALSE(are_near("f", "g"));
  EXPECT_TRUE(are_near("f", "f"));
  EXPECT_TRUE(are_near("tic", "tik"));
  EXPECT_FALSE(are_near("tic", "tac2"));
  EXPECT_TRUE(are_near("print_all", "prnit_al"));
  EXPECT_FALSE(are_near("print_all", "point_wells"));
}

}  // namespace
}  // namespace moult::internal
