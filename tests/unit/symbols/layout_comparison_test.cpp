#include "symbols/layout_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ClassField field(const std::string& type, std::string name, std::uint64_t offset, std::uint64_t size) {
  return {std::move(name), type, offset, size, 0, 0, type};
}

MemberFunction virtual_function(std::string name, std::uint64_t slot) {
  return {std::move(name), MemberKind::method, true, slot, "int", {}};
}

ClassLayout data() {
  ClassLayout layout;
  layout.name = ClassName("Data");
  layout.size = 16;
  layout.fields = {field("int", "count", 0, 4), field("long", "sum", 8, 8)};
  return layout;
}

ClassLayout replacement() {
  ClassLayout layout = data();
  layout.name = ClassName("DataV2");
  return layout;
}

std::vector<std::string> texts(const LayoutComparison& comparison) {
  std::vector<std::string> all;
  for (const LayoutDifference& difference : comparison.differences) all.push_back(difference.text);
  return all;
}

std::vector<DifferenceKind> kinds(const LayoutComparison& comparison) {
  std::vector<DifferenceKind> all;
  for (const LayoutDifference& difference : comparison.differences) all.push_back(difference.kind);
  return all;
}

TEST(LayoutComparison, TheSameFieldsAreIdentical) {
  const LayoutComparison comparison = compare_layouts(data(), replacement());
  EXPECT_EQ(comparison.verdict, LayoutVerdict::identical);
  EXPECT_THAT(comparison.differences, IsEmpty());
}

TEST(LayoutComparison, AFieldBehindTheOthersIsAppended) {
  ClassLayout after = replacement();
  after.fields.push_back(field("double", "mean", 16, 8));
  after.size = 24;
  const LayoutComparison comparison = compare_layouts(data(), after);
  EXPECT_EQ(comparison.verdict, LayoutVerdict::append_only);
  EXPECT_THAT(texts(comparison), ElementsAre("added: double mean, at 16", "size: 16 bytes, now 24"));
}

TEST(LayoutComparison, AFieldInAGapIsNotAppended) {
  ClassLayout after = replacement();
  after.fields.insert(after.fields.begin() + 1, field("int", "gap", 4, 4));
  const LayoutComparison comparison = compare_layouts(data(), after);
  EXPECT_EQ(comparison.verdict, LayoutVerdict::incompatible);
  EXPECT_THAT(texts(comparison), ElementsAre("added: int gap, at 4, before the end of the old ones"));
}

TEST(LayoutComparison, EveryOtherChangeOfAFieldIsIncompatible) {
  ClassLayout after = replacement();
  after.fields = {field("unsigned int", "count", 0, 4), field("int", "other", 4, 4)};
  const LayoutComparison comparison = compare_layouts(data(), after);
  EXPECT_EQ(comparison.verdict, LayoutVerdict::incompatible);
  EXPECT_THAT(texts(comparison), ElementsAre("retyped: int count is unsigned int count now", "removed: long sum, at 8",
                                             "added: int other, at 4, before the end of the old ones"));
}

TEST(LayoutComparison, AMovedFieldIsToldWithBothPlaces) {
  ClassLayout after = replacement();
  after.fields[1].offset = 16;
  EXPECT_THAT(texts(compare_layouts(data(), after)), ElementsAre("moved: long sum, from 8 to 16"));
  EXPECT_EQ(compare_layouts(data(), after).verdict, LayoutVerdict::incompatible);
}

TEST(LayoutComparison, ARenamedFieldIsToldAsOne) {
  ClassLayout after = replacement();
  after.fields[1].name = "total";
  const LayoutComparison comparison = compare_layouts(data(), after);
  EXPECT_THAT(texts(comparison), ElementsAre("renamed: long sum to total"));
  EXPECT_EQ(comparison.verdict, LayoutVerdict::incompatible);
}

TEST(LayoutComparison, ATypeOfTheSameNameThatIsLaidOutOtherwiseIsFound) {
  ClassLayout before = data();
  ClassLayout after = replacement();
  before.fields[1] = {"inner", "Inner", 8, 8, 0, 0, "{0:int4 4:int4 }8"};
  after.fields[1] = {"inner", "Inner", 8, 8, 0, 0, "{0:long8 }8"};
  EXPECT_THAT(texts(compare_layouts(before, after)),
              ElementsAre("retyped: Inner inner, whose type is laid out otherwise in the update"));
  after.fields[1].shape.clear();  // only declared there
  EXPECT_EQ(compare_layouts(before, after).verdict, LayoutVerdict::identical);
}

TEST(LayoutComparison, APointerToTheOwnClassStaysOne) {
  ClassLayout before = data();
  ClassLayout after = replacement();
  before.fields.push_back({"next", "Data*", 16, 8, 0, 0, "*"});
  after.fields.push_back({"next", "DataV2*", 16, 8, 0, 0, "*"});
  EXPECT_EQ(compare_layouts(before, after).verdict, LayoutVerdict::identical);
}

TEST(LayoutComparison, BitsOfAByteAreToldApart) {
  ClassLayout before = data();
  ClassLayout after = replacement();
  before.fields.push_back({"low", "unsigned int", 16, 4, 0, 3, "unsigned int4"});
  after.fields.push_back({"low", "unsigned int", 16, 4, 1, 3, "unsigned int4"});
  EXPECT_THAT(texts(compare_layouts(before, after)),
              ElementsAre("moved: unsigned int low : 3, from 16 bit 0 to 16 bit 1"));
  after.fields.back() = {"low", "unsigned int", 16, 4, 0, 4, "unsigned int4"};
  EXPECT_THAT(texts(compare_layouts(before, after)),
              ElementsAre("retyped: unsigned int low : 3 is unsigned int low : 4 now"));
}

TEST(LayoutComparison, BasesMustBeTheSame) {
  ClassLayout before = data();
  ClassLayout after = replacement();
  before.bases = {{"Root", 0, false, false, "{0:int4 }4"}};
  EXPECT_THAT(texts(compare_layouts(before, after)), ElementsAre("base removed: Root"));
  after.bases = {{"Other", 0, false, false, "{0:int4 }4"}};
  EXPECT_THAT(texts(compare_layouts(before, after)), ElementsAre("base changed: Root is Other now"));
  after.bases = {{"Root", 0, false, false, "{0:int4 4:int4 }8"}};
  EXPECT_THAT(texts(compare_layouts(before, after)),
              ElementsAre("base changed: Root is laid out otherwise in the update"));
  EXPECT_THAT(texts(compare_layouts(data(), after)), ElementsAre("base added: Root"));
  after.bases = {{"Root", std::nullopt, true, false, "{0:int4 }4"}};
  EXPECT_THAT(texts(compare_layouts(before, after)), ElementsAre("base moved: Root"));
}

TEST(LayoutComparison, ABaseWithoutDataIsOfNoMatter) {
  ClassLayout before = data();
  ClassLayout after = replacement();
  before.bases = {{"moult::Updatable<Data, 64ul>", 0, false, false, "{}1"}};
  EXPECT_EQ(compare_layouts(before, after).verdict, LayoutVerdict::identical);
}

TEST(LayoutComparison, BecomingVirtualIsIncompatible) {
  ClassLayout after = replacement();
  after.has_vptr = true;
  EXPECT_THAT(kinds(compare_layouts(data(), after)), ElementsAre(DifferenceKind::became_virtual));
  EXPECT_EQ(compare_layouts(data(), after).verdict, LayoutVerdict::incompatible);
  EXPECT_THAT(kinds(compare_layouts(after, data())), ElementsAre(DifferenceKind::became_plain));
}

class VirtualFunctions : public testing::Test {
 protected:
  VirtualFunctions() {
    before_.has_vptr = after_.has_vptr = true;
    before_.functions = {virtual_function("Data::f()", 0), virtual_function("Data::g()", 3)};
    after_.functions = {virtual_function("DataV2::f()", 0), virtual_function("DataV2::g()", 3)};
  }
  ClassLayout before_ = data();
  ClassLayout after_ = replacement();
};

TEST_F(VirtualFunctions, InTheSamePlacesAreIdentical) {
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::identical);
}

TEST_F(VirtualFunctions, AreTheSameWithOrWithoutAbiTags) {
  before_.functions[1].name = "Data::g[abi:cxx11]()";
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::identical);
  after_.functions[0].name = "DataV2::f[abi:cxx11]()";
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::identical);
}

TEST_F(VirtualFunctions, BehindTheOldOnesAreAppended) {
  after_.functions.push_back(virtual_function("DataV2::h()", 4));
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::append_only);
  EXPECT_THAT(texts(compare_layouts(before_, after_)), ElementsAre("virtual function added: DataV2::h()"));
}

TEST_F(VirtualFunctions, InAnotherPlaceAreIncompatible) {
  after_.functions[1].slot = 4;
  after_.functions.push_back(virtual_function("DataV2::h()", 3));
  const LayoutComparison comparison = compare_layouts(before_, after_);
  EXPECT_EQ(comparison.verdict, LayoutVerdict::incompatible);
  EXPECT_THAT(texts(comparison), ElementsAre("virtual function: Data::g() is not at its place in the vtable of DataV2",
                                             "virtual function added: DataV2::h(), before the end of the old ones"));
}

TEST_F(VirtualFunctions, ThatOverrideABasesAreAppended) {
  before_.bases = after_.bases = {{"Root", 0, false, true, ""}};
  after_.functions.push_back(virtual_function("DataV2::of_the_base()", 1));
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::append_only);
  before_.bases[0].has_vptr = after_.bases[0].has_vptr = false;
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::incompatible);
}

TEST_F(VirtualFunctions, ThatAreGoneAreIncompatible) {
  after_.functions.pop_back();
  EXPECT_EQ(compare_layouts(before_, after_).verdict, LayoutVerdict::incompatible);
}

TEST(LayoutComparison, AGreaterSizeIsAnAppendAndASmallerOneIsNot) {
  ClassLayout after = replacement();
  after.size = 24;
  EXPECT_EQ(compare_layouts(data(), after).verdict, LayoutVerdict::append_only);
  after.size = 8;
  EXPECT_EQ(compare_layouts(data(), after).verdict, LayoutVerdict::incompatible);
}

TEST(LayoutComparison, AnotherAlignmentIsIncompatible) {
  ClassLayout after = replacement();
  after.alignment = 64;
  EXPECT_THAT(texts(compare_layouts(data(), after)), ElementsAre("alignment: 0, now 64"));
  EXPECT_EQ(compare_layouts(data(), after).verdict, LayoutVerdict::incompatible);
}

TEST(LayoutComparison, EveryKindHasAName) {
  for (int kind = 0; kind <= static_cast<int>(DifferenceKind::resized); ++kind)
    EXPECT_NE(name_of(static_cast<DifferenceKind>(kind)), "unknown");
}

}  // namespace
}  // namespace moult::internal
