#include "changed_headers.hpp"

#include <gmock/gmock.h>

namespace moult::internal::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Prerequisites, AreReadAcrossLines) {
  EXPECT_THAT(prerequisites("update: a.cpp \\\n  b/c.hpp ../d.hpp\n"), ElementsAre("a.cpp", "b/c.hpp", "../d.hpp"));
}

TEST(Prerequisites, MayHaveSpacesAndDollarsInTheirNames) {
  EXPECT_THAT(prerequisites("update: late\\ header.hpp a$$b.hpp c\\#.hpp"),
              ElementsAre("late header.hpp", "a$b.hpp", "c#.hpp"));
}

TEST(Prerequisites, OfWhatIsNoRuleAreNone) {
  EXPECT_THAT(prerequisites(""), IsEmpty());
  EXPECT_THAT(prerequisites("nothing"), IsEmpty());
}

}  // namespace
}  // namespace moult::internal::cli
