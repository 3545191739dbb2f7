// Classes that cannot be redefined safely. Here old and new are in one program; in tests/live/classes they are apart.
#include "classes_test/classes.hpp"

#include "moult/data_update.hpp"
#include "refusal.hpp"

namespace kinds {

using limits::expect_error;
using moult::ErrorCode;
using moult::redefine_class;
using moult::Redefinition;
using moult::UnmatchedMembers;

TEST(Classes, AMovedFieldIsRefusedWithEveryFunctionThatStays) {
  expect_error(ErrorCode::layout_mismatch,
               {"kinds::Moved as kinds::MovedV2:\nmoved: int a, from 0 to 8\nmoved: long b, from 8 to 0\n",
                "these uses depend on its layout:", "kinds::reads_moved(void const*) at ", "uses.cpp:20",
                "redefine these functions in the same update, or leave the old fields as they are"},
               [] { redefine_class<Moved, MovedV2>(); });
  EXPECT_EQ(sum_of_moved(make_moved()), 101);
}

TEST(Classes, ItIsAcceptedWhenAllOfThemAreRedefinedToo) {
  testing::internal::CaptureStderr();
  redefine_class<Moved, MovedV2>({.also = {Redefinition(reads_moved, reads_moved_v2)}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("kinds::the_newest at "))
      << "which functions use a variable is not known";
  void* moved = make_moved();
  EXPECT_EQ(sum_of_moved(moved), -101);
  EXPECT_EQ(reads_moved(moved), 1001);
}

TEST(Classes, AnObjectLargerThanItsSlotIsRefusedWithTheWaysOn) {
  expect_error(
      ErrorCode::layout_mismatch,
      {"kinds::TightV2: an object needs 72 bytes and the slots of kinds::Tight have 32", "a reserve of 40 bytes",
       "moult::Updatable<kinds::Tight, 40>", "or keep the new fields beside the objects (moult::add_field_to_class)"},
      [] { redefine_class<Tight, TightV2>(); });
}

TEST(Classes, CodeThatDependsOnTheSizeDoesNotLetItGrow) {
  expect_error(ErrorCode::layout_mismatch,
               {"added: long more, at 8", "size: 4 bytes, now 16", "these uses depend on its size:",
                "kinds::has_a_local(int) at ", "uses.cpp:40", "kinds::has_a_member(void const*) at ", "uses.cpp:50",
                "kinds::a_static at ", "uses.cpp:60, a static object that holds a kinds::Roomy"},
               [] { redefine_class<Roomy, RoomyV2>(); });
  EXPECT_EQ(has_a_local(3), 3);
}

TEST(Classes, WithoutAPoolNothingGrows) {
  expect_error(ErrorCode::layout_mismatch,
               {"added: int more, at 4", "its objects are in no pool", "kinds::make_loose(int) at ", "uses.cpp:70"},
               [] { redefine_class<Loose, LooseV2>(); });
}

TEST(Classes, FunctionsThatTheNewClassLacksAreAllNamed) {
  expect_error(
      ErrorCode::not_found,
      {"kinds::Changed::missing() const: kinds::ChangedV2 has no such function",
       "kinds::Changed::without_code() const: kinds::ChangedV2::without_code() const has no code in the update",
       // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text, too long for a line
       "kinds::Changed::other_parameters(int) const: kinds::ChangedV2 has only "
       "kinds::ChangedV2::other_parameters(long) const",
       "kinds::Changed::becomes_static(int): is static in kinds::ChangedV2",
       "kinds::Changed::other_result() const: returns long in kinds::ChangedV2, not int"},
      [] { redefine_class<Changed, ChangedV2>(); });
  EXPECT_EQ(asks_for_matches(), 3);
}

TEST(Classes, WhereTheAuthorWantsItTheyStayAsTheyAre) {
  redefine_class<Changed, ChangedV2>({.unmatched = UnmatchedMembers::kept});
  EXPECT_EQ(asks_for_matches(), 1003);
  EXPECT_EQ(asks_for_missing(), 3);
}

TEST(Classes, AFunctionThatExistsAsCopiesOnlyIsRefused) {
  expect_error(ErrorCode::inlined,
               {"kinds::Copied::melted() const: inlined at ", "uses.cpp:82 (kinds::holds_a_copy())", "MOULT_UPDATABLE"},
               [] { redefine_class<Copied, CopiedV2>(); });
  EXPECT_EQ(holds_a_copy(), 3);
}

TEST(Classes, ASubclassCannotReplaceItsBase) {
  expect_error(ErrorCode::invalid_argument, {"kinds::Child: derives from kinds::Parent"},
               [] { redefine_class<Parent, Child>(); });
}

TEST(Classes, GettingVirtualFunctionsIsRefused) {
  expect_error(ErrorCode::layout_mismatch,
               {"virtual functions: kinds::PlainV2 has some, kinds::Plain has none", "kinds::area_of_plain(int)"},
               [] { redefine_class<Plain, PlainV2>(); });
  EXPECT_EQ(area_of_plain(4), 4);
}

TEST(Classes, TwentyUsesAreNamedAndTheRestCounted) {
  expect_error(ErrorCode::layout_mismatch, {"kinds::reader<1>(kinds::Popular const&) at ", "\n  and ", " more\n"},
               [] { redefine_class<Popular, PopularV2>(); });
  EXPECT_EQ(all_readers(1), 30 + 29 * 15);
}

TEST(Classes, AClassOfWhichSourceFilesDisagreeIsRefused) {
  expect_error(ErrorCode::ambiguous,
               {"kinds::Disputed: is laid out one way at ", "uses.cpp:200", "another way at ", "another.cpp:300"},
               redefine_disputed);
  EXPECT_EQ(first_of_disputed() + last_of_disputed(), 3);
}

TEST(Classes, AClassOfAFunctionIsNotFound) {
  struct Local {
    int n;
  };
  struct LocalV2 {
    int n;
  };
  expect_error(ErrorCode::not_found, {"no debug information defines this class", "outside of functions"},
               [] { redefine_class<Local, LocalV2>(); });
}

TEST(Classes, CodeThatKnowsTheFirstVersionDoesNotLetTheSecondGrow) {
  redefine_class<Roomy, RoomyTwin>();
  expect_error(ErrorCode::layout_mismatch,
               {"kinds::RoomyTwin as kinds::RoomyV3:", "these uses depend on its size:", "kinds::has_a_local(int) at ",
                "kinds::a_static at "},
               [] { redefine_class<RoomyTwin, RoomyV3>(); });
  EXPECT_EQ(has_a_local(3), 3);
}

}  // namespace kinds
