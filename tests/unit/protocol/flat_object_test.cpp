#include "protocol/flat_object.hpp"

#include <gtest/gtest.h>

#include <string>

namespace moult::internal {
namespace {

TEST(FlatObject, HasItsMembers) {
  const std::optional<FlatObject> object = FlatObject::parse(R"({"a":1,"b":"two","c":true,"d":null})");
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)["a"], Json(1u));
  EXPECT_EQ((*object)["b"], Json("two"));
  EXPECT_EQ((*object)["c"], Json(true));
  EXPECT_TRUE((*object)["d"].is_null());
  EXPECT_FALSE(object->contains("e"));
}

TEST(FlatObject, TakesTheLastOfSeveralMembersWithOneName) {
  EXPECT_EQ((*FlatObject::parse(R"({"a":1,"a":2})"))["a"], Json(2u));
}

TEST(FlatObject, HasNothingOfWhatIsInsideAMember) {
  const std::optional<FlatObject> object = FlatObject::parse(R"({"a":{"b":1,"c":[{"d":2}]},"e":3})");
  ASSERT_TRUE(object);
  EXPECT_TRUE((*object)["a"].is_array());
  EXPECT_FALSE(object->contains("b"));
  EXPECT_FALSE(object->contains("d"));
  EXPECT_EQ((*object)["e"], Json(3u));
}

TEST(FlatObject, IsNothingElseThanOneObject) {
  for (const char* const text : {"", "1", "[1]", "[{}]", "{", "{}}", R"({"a"})", R"({"a":1} x)", "null", "{]"})
    EXPECT_FALSE(FlatObject::parse(text)) << text;
  EXPECT_TRUE(FlatObject::parse("{}"));
}

/// A recursive reader would run out of stack.
TEST(FlatObject, MayBeNestedWithoutLimit) {
  const std::string deep(500'000, '[');
  EXPECT_FALSE(FlatObject::parse(R"({"a":)" + deep));
}

}  // namespace
}  // namespace moult::internal
