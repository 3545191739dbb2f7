// Classes and initialisers in the text of a preprocessed source.
#include "diff/preprocessed_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace moult::internal::diff {
namespace {

constexpr const char* text = R"(# 0 "app.cpp"
# 1 "/src/item.hpp" 1
namespace app {
struct Item;
void use(Item* item);
# 10 "/src/item.hpp"
class alignas(8) Item final : public Base<Item, sizeof("};")> {
  Item(int n) : number{n}, total(n) { local = 3; }
  int number = 1, total{2};
  char brace = '}';
  std::string raw = R"x(}; ")x" + f<int, long>(1, 2);
  unsigned bits : 3 = 5;
  int plain, array[2] = {1, 2};
  std::map<int, int> map = std::map<int, int>(), other = {};
  int local() const { int inner = 9; return inner; }
  struct { int nested = 4; } held;
  int greatest =
# 12 "/src/item.hpp" 3 4
                 0x7fffffff
# 12 "/src/item.hpp"
                           - 1;
  int (Item::*method)() const = &Item::local;
  void (*const calls[2])(int (*inner)(int)) = {nullptr, nullptr};
  int (*uncalled)(int);
  int used(int number) { return (number)(1); }
};
}
# 2 "app.cpp" 2
struct Item { int of_the_source = 7; };
)";

struct Preprocessed : testing::Test {
  PreprocessedSource source{text, "/src"};
  std::optional<std::string> initialiser(const char* field, int line = 10, const char* file = "/src/item.hpp") const {
    const std::optional<ClassBody> body = source.class_body("Item", {file, line});
    return body ? source.initialiser(*body, field) : std::nullopt;
  }
};

TEST_F(Preprocessed, AFieldHasWhatItsDeclarationSays) {
  EXPECT_EQ(initialiser("number"), "= 1");
  EXPECT_EQ(initialiser("total"), "{2}");
  EXPECT_EQ(initialiser("brace"), "= '}'");
  EXPECT_EQ(initialiser("raw"), "= R\"x(}; \")x\" + f<int, long>(1, 2)");
  EXPECT_EQ(initialiser("bits"), "= 5");
  EXPECT_EQ(initialiser("plain"), "");
  EXPECT_EQ(initialiser("array"), "= {1, 2}");
  EXPECT_EQ(initialiser("map"), "= std::map<int, int>()");
  EXPECT_EQ(initialiser("other"), "= {}");
  EXPECT_EQ(initialiser("held"), "");
}

TEST_F(Preprocessed, AnInitialiserHasNoMarkersOfLines) { EXPECT_EQ(initialiser("greatest"), "= 0x7fffffff - 1"); }

TEST_F(Preprocessed, LinesBeforeAllCodeComeBehindTheNameOfTheSource) {
  const std::string more = source.with({{source.before_code(), {0, "#pragma weak stderr\n"}}});
  EXPECT_TRUE(more.starts_with("# 0 \"app.cpp\"\n#pragma weak stderr\n# 1 \"/src/item.hpp\" 1\n")) << more;
}

TEST_F(Preprocessed, APointerToAFunctionHasItsInitialiserBehindTheParameters) {
  EXPECT_EQ(initialiser("method"), "= &Item::local");
  EXPECT_EQ(initialiser("calls"), "= {nullptr, nullptr}");
  EXPECT_EQ(initialiser("uncalled"), "");
  EXPECT_EQ(initialiser("used"), std::nullopt);
}

TEST_F(Preprocessed, WhatIsInInnerBracesIsNoField) {
  EXPECT_EQ(initialiser("inner"), std::nullopt);
  EXPECT_EQ(initialiser("nested"), std::nullopt);
  EXPECT_EQ(initialiser("local"), std::nullopt);
  EXPECT_EQ(initialiser("missing"), std::nullopt);
}

TEST_F(Preprocessed, TheClassIsTheOneOfThatFileAndLine) {
  EXPECT_EQ(initialiser("of_the_source", 2, "app.cpp"), "= 7");
  EXPECT_EQ(initialiser("of_the_source"), std::nullopt);
  EXPECT_FALSE(source.class_body("Item", {"/src/item.hpp", 2}));
  EXPECT_FALSE(source.class_body("Item", {"/src/other.hpp", 10}));
  EXPECT_FALSE(source.class_body("Base", {"/src/item.hpp", 10}));
}

TEST_F(Preprocessed, AdditionsStandWhereTheyAreWanted) {
  const ClassBody body = *source.class_body("Item", {"app.cpp", 2});
  const std::string all = source.with({{body.end, {0, "void more();"}}, {std::string::npos, {0, "\nbehind\n"}}});
  EXPECT_THAT(all, testing::HasSubstr("struct Item { int of_the_source = 7; void more();};\n\nbehind\n"));
}

TEST_F(Preprocessed, WordsAreToldFromTexts) {
  EXPECT_THAT(PreprocessedSource::words_of("= f(this, \"that\") + 'x' + a_1"),
              testing::ElementsAre("f", "this", "a_1"));
  EXPECT_THAT(PreprocessedSource::words_of("{[] { return 1; }}"), testing::ElementsAre("[", "return"));
  EXPECT_THAT(PreprocessedSource::words_of("app::one + ::two"), testing::ElementsAre("app::one", "::two"));
}

}  // namespace
}  // namespace moult::internal::diff
