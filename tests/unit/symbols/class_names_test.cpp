#include "symbols/class_names.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(ClassNames, AClassIsRenamedWhereItIsTheWholeName) {
  EXPECT_EQ(renamed("DataV2::join(DataV2 const&, DataV21*)", ClassName("DataV2"), ClassName("Data")),
            "Data::join(Data const&, DataV21*)");
  EXPECT_EQ(renamed("other::DataV2", ClassName("DataV2"), ClassName("Data")), "other::DataV2");
  EXPECT_EQ(renamed("next::DataV2&", ClassName("next::DataV2"), ClassName("app::Data")), "app::Data&");
  EXPECT_EQ(renamed("std::vector<DataV2*, std::allocator<DataV2*> >", ClassName("DataV2"), ClassName("Data")),
            "std::vector<Data*, std::allocator<Data*> >");
  EXPECT_EQ(renamed("DataV2<int>", ClassName("DataV2"), ClassName("Data")), "DataV2<int>");
}

TEST(ClassNames, AConstructorAndADestructorAreCalledAsTheOtherClass) {
  EXPECT_EQ(renamed_member("next::DataV2::DataV2(int)", ClassName("next::DataV2"), ClassName("app::Data")),
            "app::Data::Data(int)");
  EXPECT_EQ(renamed_member("next::DataV2::~DataV2()", ClassName("next::DataV2"), ClassName("app::Data")),
            "app::Data::~Data()");
  EXPECT_EQ(renamed_member("DataV2::DataV2Maker(int)", ClassName("DataV2"), ClassName("Data")),
            "Data::DataV2Maker(int)");
  EXPECT_EQ(renamed_member("Box2<int>::Box2(Box2<int> const&)", ClassName("Box2<int>"), ClassName("Box<int>")),
            "Box<int>::Box(Box<int> const&)");
}

TEST(ClassNames, AConversionIsCalledAsItsTypeIs) {
  EXPECT_EQ(renamed_member("DataV2::operator DataV2*() const", ClassName("DataV2"), ClassName("Data")),
            "Data::operator Data*() const");
}

TEST(ClassNames, OfFieldsOnlyAddressesOfTheClassAreRenamed) {
  const auto type = [](std::string_view text) { return renamed_type(text, ClassName("DataV2"), ClassName("Data")); };
  EXPECT_EQ(type("DataV2*"), "Data*");
  EXPECT_EQ(type("DataV2 const*"), "Data const*");
  EXPECT_EQ(type("DataV2&"), "Data&");
  EXPECT_EQ(type("DataV2::Kind"), "Data::Kind");
  EXPECT_EQ(type("std::unique_ptr<DataV2, std::default_delete<DataV2> >"),
            "std::unique_ptr<Data, std::default_delete<Data> >");
  EXPECT_EQ(type("std::vector<DataV2, std::allocator<DataV2> >"), "std::vector<DataV2, std::allocator<DataV2> >");
}

TEST(ClassNames, AStringIsCalledOne) {
  EXPECT_EQ(readable("std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > const*"),
            "std::string const*");
  EXPECT_EQ(readable(""), "a type without a name");
}

}  // namespace
}  // namespace moult::internal
