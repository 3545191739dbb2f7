// The text that shows where objects are made; what the compilers make of it is in the tests of edits.
#include "diff/placed_objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace moult::internal::diff {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string marked(const std::string& text) { return with_marks(PreprocessedSource(text, "/src")); }

TEST(PlacedObjects, ExpressionsAreMarkedWithAndWithoutAPlace) {
  EXPECT_THAT(marked("auto a = ::new (place) Item(1);"), HasSubstr("auto a =  new (::moult_mark{}, place) Item(1);"));
  EXPECT_THAT(marked("auto a = ::new Item;"), HasSubstr("auto a =  new (::moult_mark{})  Item;"));
  EXPECT_THAT(marked("auto a = ::new (Item);"), HasSubstr("new (::moult_mark{})  (Item);"));
  EXPECT_THAT(marked("auto a = new Item;"), HasSubstr("auto a = new Item;"));
}

TEST(PlacedObjects, AClassWithAnOperatorOfItsOwnGetsOneForTheMarkOnce) {
  const std::string text = marked(
      "struct Item { static void* operator new(size_t s) { return f(s); } void* operator new(size_t, int); int n; };");
  EXPECT_THAT(text, HasSubstr("return f(s); }template <class... moult_types> void* operator new("));
  EXPECT_THAT(text, HasSubstr("void* operator new(size_t, int); int n; };"));
}

TEST(PlacedObjects, ACallOfAnOperatorIsNoDeclaration) {
  for (const char* const text : {"p = operator new(8);", "p = ::operator new(8);", "using Base::operator new;"})
    EXPECT_THAT(marked(text), HasSubstr("\n" + std::string(text)));
}

TEST(PlacedObjects, ConstructAtIsMarkedWhereItIsDefinedAndOtherwiseAsItWas) {
  const std::string text = marked(
      "template <class T, class... A> constexpr auto construct_at(T* at, A&&... a) noexcept(noexcept(::new (nullptr) "
      "T)) "
      "-> decltype(::new (nullptr) T) { return ::new (at) T(a...); } void f() { construct_at(p); }");
  EXPECT_THAT(text,
              HasSubstr("{ if (!__builtin_is_constant_evaluated()) ::moult_placed(at);  return ::new (at) T(a...);"));
  EXPECT_THAT(text, HasSubstr("noexcept(::new (nullptr) T)"));
  EXPECT_THAT(text, HasSubstr("void f() { construct_at(p); }"));
}

TEST(PlacedObjects, ThePoolsPlacementIsOnlyDeclared) {
  const std::string text = "static void* operator new(std::size_t, void* place) noexcept { return place; }";
  EXPECT_THAT(marked("# 1 \"/usr/include/moult/data_access.hpp\"\n" + text), Not(HasSubstr("return place")));
  EXPECT_THAT(marked("# 1 \"/usr/include/app.hpp\"\n" + text), HasSubstr("return place"));
}

}  // namespace
}  // namespace moult::internal::diff
