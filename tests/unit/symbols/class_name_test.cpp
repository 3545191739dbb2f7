#include "symbols/class_name.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace named {

struct Plain {
  struct Nested {};
  bool operator<(const Plain&) const { return false; }
  auto operator()(int) const {
    struct Local {};
    return Local();
  }
};

template <class T>
struct Box {
  struct Node {};
};

template <auto function>
struct Calls {
  struct Node {};
};

bool operator>>(const Plain&, const Plain&) { return false; }

namespace {
struct Hidden {};
}  // namespace

}  // namespace named

namespace moult::internal {
namespace {

/// "scope + identifier", which shows where the name was taken apart.
std::string text_of_parts(const ClassName& name) {
  return std::string(name.scope()) + " + " + std::string(name.identifier());
}
std::string text_of_parts(const std::string& demangled) { return text_of_parts(ClassName(demangled)); }

TEST(ClassName, ANestedClassHasItsOuterClassAsScope) {
  EXPECT_EQ(text_of_parts("Data"), " + Data");
  EXPECT_EQ(text_of_parts("ns::Data"), "ns:: + Data");
  EXPECT_EQ(text_of_parts("ns::Data::Node"), "ns::Data:: + Node");
}

TEST(ClassName, TheIdentifierHasNoTemplateArguments) {
  EXPECT_EQ(text_of_parts("ns::Box<int>"), "ns:: + Box");
  EXPECT_EQ(text_of_parts("ns::Box<int>::Node"), "ns::Box<int>:: + Node");
  EXPECT_EQ(text_of_parts("ns::Box<int>::Node<char>"), "ns::Box<int>:: + Node");
}

TEST(ClassName, ScopesAndBracketsInTemplateArgumentsAreNoneOfTheClass) {
  EXPECT_EQ(text_of_parts("Box<ns::Data>"), " + Box");
  EXPECT_EQ(text_of_parts("ns::Box<std::vector<ns::Data, std::allocator<ns::Data> > >"), "ns:: + Box");
  EXPECT_EQ(text_of_parts("ns::Box<ns::Box<a::b>::Node (*)(c::d)>::Node"),
            "ns::Box<ns::Box<a::b>::Node (*)(c::d)>:: + Node");
}

TEST(ClassName, AnOperatorInTemplateArgumentsOpensAndClosesNothing) {
  for (const char* symbol : {"<", "<<", ">", ">>", "->", "<=>", "()", "[]", "=="}) {
    const std::string call = std::string("ns::Calls<&(ns::Data::operator") + symbol + "(ns::Data const&) const)>";
    EXPECT_EQ(text_of_parts(call), "ns:: + Calls");
    EXPECT_EQ(text_of_parts(call + "::Node"), call + ":: + Node");
  }
}

TEST(ClassName, AClassInAnOperatorHasTheOperatorAsScope) {
  EXPECT_EQ(text_of_parts("ns::Data::operator()(int) const::Local"), "ns::Data::operator()(int) const:: + Local");
  EXPECT_EQ(text_of_parts("operator<<(std::ostream&, Data)::Local"), "operator<<(std::ostream&, Data):: + Local");
  EXPECT_EQ(text_of_parts("ns::operators"), "ns:: + operators") << "a name that begins with the word";
}

TEST(ClassName, AnUnnamedNamespaceIsAScope) {
  EXPECT_EQ(text_of_parts("(anonymous namespace)::Data"), "(anonymous namespace):: + Data");
  EXPECT_EQ(text_of_parts("ns::(anonymous namespace)::Data"), "ns::(anonymous namespace):: + Data");
}

TEST(ClassName, ALambdaIsOneIdentifier) {
  EXPECT_EQ(text_of_parts("main::{lambda(Box<int>, std::string)#1}"), "main:: + {lambda(Box<int>, std::string)#1}");
}

TEST(ClassName, OfATypeIsTheDemanglersName) {
  EXPECT_EQ(ClassName(typeid(named::Plain)).text(), "named::Plain");
  EXPECT_EQ(text_of_parts(ClassName(typeid(named::Plain::Nested))), "named::Plain:: + Nested");
  EXPECT_EQ(ClassName(typeid(named::Box<unsigned long>)).text(), "named::Box<unsigned long>");
  EXPECT_EQ(text_of_parts(ClassName(typeid(named::Box<named::Box<int>::Node>))), "named:: + Box");
  EXPECT_EQ(text_of_parts(ClassName(typeid(named::Hidden))), "named::(anonymous namespace):: + Hidden");
  EXPECT_EQ(text_of_parts(ClassName(typeid(named::Plain()(1)))), "named::Plain::operator()(int) const:: + Local");
}

TEST(ClassName, OfATypeIsTakenApartBehindItsOperators) {
  EXPECT_EQ(ClassName(typeid(named::Calls < &named::Plain::operator<>::Node)).identifier(), "Node");
  EXPECT_EQ(ClassName(typeid(named::Calls < &named::operator>>> ::Node)).identifier(), "Node");
}

TEST(ClassName, TemplateArgumentsCountAnywhereInTheName) {
  EXPECT_FALSE(ClassName("ns::Data::Node").has_template_arguments());
  EXPECT_TRUE(ClassName("ns::Box<int>").has_template_arguments());
  EXPECT_TRUE(ClassName("ns::Box<int>::Node").has_template_arguments()) << "the scope's";
}

TEST(ClassName, ConstructorsAndDestructorsAreCalledAsTheClass) {
  const ClassName box("ns::Box<int>");
  for (const char* own : {"Box", "~Box", "Box(int)", "~Box()", "Box<char>", "Box[abi:cxx11]"})
    EXPECT_TRUE(box.names_constructor_or_destructor(own)) << own;
  for (const char* other : {"Boxes", "Box_", "~Boxes()", "Bo", "box", "operator Box", ""})
    EXPECT_FALSE(box.names_constructor_or_destructor(other)) << other;
}

TEST(ClassName, TheMangledNamesOfMembersContainTheIdentifierWithItsLength) {
  EXPECT_EQ(ClassName("ns::Data").mangled_part_of_members(), "4Data");
  EXPECT_EQ(ClassName("ns::Box<int>").mangled_part_of_members(), "3Box");
  EXPECT_EQ(ClassName("ns::Box<int>::Node").mangled_part_of_members(), "4Node");
}

TEST(ClassName, WhereTheMangledNamesMayDifferNoPartOfThemIsKnown) {
  EXPECT_EQ(ClassName("std::string").mangled_part_of_members(), "") << "the library's own names are abbreviated";
  EXPECT_EQ(ClassName("ns::Data[abi:v2]").mangled_part_of_members(), "");
  EXPECT_EQ(ClassName("main::{lambda()#1}").mangled_part_of_members(), "");
  EXPECT_EQ(ClassName("stdlike::Data").mangled_part_of_members(), "4Data");
}

TEST(ClassName, AsAnArgumentItIsSpelledAsTheDemanglerDoes) {
  EXPECT_EQ(ClassName("ns::Data").as_argument_of("make"), "make<ns::Data>");
  EXPECT_EQ(ClassName("Box<int>").as_argument_of("ns::make"), "ns::make<Box<int> >");
}

TEST(ClassName, ClassesAreEqualByTheWholeName) {
  EXPECT_EQ(ClassName("ns::Data"), ClassName(std::string("ns::") + "Data"));
  EXPECT_NE(ClassName("ns::Data"), ClassName("other::Data"));
  EXPECT_NE(ClassName("Box<int>"), ClassName("Box<char>"));
}

TEST(ClassName, ACopyOutlivesWhatItWasCopiedFrom) {
  std::vector<ClassName> names;
  {
    const ClassName original("ns::D");  // short enough for the string's own buffer
    names.push_back(original);
  }
  EXPECT_EQ(text_of_parts(names.front()), "ns:: + D");
}

}  // namespace
}  // namespace moult::internal
