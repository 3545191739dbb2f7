#include "symbols/class_layout.hpp"

#include <gmock/gmock.h>

#include "fixtures.hpp"
#include "symbols/class_uses.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

/// The classes in every form of complete debug information.
class Classes : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }

  Program program() const { return Program::of_file(fixture(GetParam())); }
  ClassLayout layout(const std::string& name) const {
    std::vector<ClassLayout> all = class_layouts(program(), ClassName(name));
    EXPECT_THAT(all, SizeIs(1)) << name;
    return all.empty() ? ClassLayout{} : all.front();
  }
  static const MemberFunction& function(const ClassLayout& layout, const std::string& name) {
    static const MemberFunction none;
    for (const MemberFunction& one : layout.functions)
      if (one.name == name) return one;
    ADD_FAILURE() << name << " is not declared";
    return none;
  }
};

INSTANTIATE_TEST_SUITE_P(Programs, Classes,
                         testing::Values("classes_gcc_O0_dwarf4.so", "classes_gcc_O0_dwarf5.so",
                                         "classes_gcc_O2_dwarf4.so", "classes_gcc_O2_dwarf5.so",
                                         "classes_clang_O0_dwarf4.so", "classes_clang_O0_dwarf5.so",
                                         "classes_clang_O2_dwarf4.so", "classes_clang_O2_dwarf5.so", "classes_lto.so",
                                         "classes_type_units.so", "classes_split.so", "classes_linked.so",
                                         "classes_shared.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

/// "8 int root", followed by the bits of a bit-field.
std::vector<std::string> fields_of(const ClassLayout& layout) {
  std::vector<std::string> fields;
  for (const ClassField& field : layout.fields) {
    const std::string bits = " bits " + std::to_string(field.bit) + "+" + std::to_string(field.bits);
    fields.push_back(std::to_string(field.offset) + " " + field.type + " " + field.name + (field.bits ? bits : ""));
  }
  return fields;
}

TEST_P(Classes, FieldsHaveTheirTypeAndPlace) {
  const ClassLayout data = layout("app::Data");
  EXPECT_EQ(data.size, 88u);
  EXPECT_TRUE(data.has_vptr);
  EXPECT_THAT(data.place.file, testing::EndsWith("classes.hpp"));
  EXPECT_THAT(fields_of(data),
              ElementsAre("12 unsigned int low bits 0+3", "12 unsigned int high bits 3+5", "16 int whole",
                          "16 float part", "20 int x_",
                          "24 std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > name_",
                          "56 app::Data::Kind kind_", "60 int [3] array_", "72 app::Data* next_",
                          "80 int app::Data::* member_"));
}

TEST_P(Classes, VirtualBasesHaveNoPlace) {
  const ClassLayout data = layout("app::Data");
  ASSERT_THAT(data.bases, SizeIs(2));
  EXPECT_EQ(data.bases[0].type, "app::Root");
  EXPECT_EQ(data.bases[0].offset, 0u);
  EXPECT_EQ(data.bases[1].type, "app::Tag<app::Data>");
  const ClassLayout with_virtual = layout("app::Virtual");
  ASSERT_THAT(with_virtual.bases, SizeIs(1));
  EXPECT_TRUE(with_virtual.bases[0].is_virtual);
  EXPECT_FALSE(with_virtual.bases[0].offset);
  EXPECT_TRUE(with_virtual.has_vptr);
  EXPECT_FALSE(layout("app::Other").has_vptr);
}

TEST_P(Classes, TemplatesAndNestedClassesAreFoundByTheDemanglersName) {
  if (std::string_view(GetParam()) == "classes_type_units.so")
    GTEST_SKIP() << "there the types of template arguments that are numbers are not told";
  const std::string box = "app::Box<unsigned long, 3>";
  EXPECT_THAT(fields_of(layout(box)), ElementsAre("0 unsigned long [3] content", "24 " + box + "::Lid lid"));
  EXPECT_THAT(fields_of(layout(box + "::Lid")), ElementsAre("0 unsigned long* under", "8 int weight"));
}

TEST_P(Classes, AClassOfTheAnonymousNamespaceIsFound) {
  EXPECT_THAT(fields_of(layout("(anonymous namespace)::Hidden")), ElementsAre("0 app::Data* data"));
}

TEST_P(Classes, MemberFunctionsHaveTheirKind) {
  const ClassLayout data = layout("app::Data");
  EXPECT_EQ(function(data, "app::Data::Data(int)").kind, MemberKind::constructor);
  EXPECT_EQ(function(data, "app::Data::Data(app::Data const&)").kind, MemberKind::constructor);
  const MemberFunction& destructor = function(data, "app::Data::~Data()");
  EXPECT_EQ(destructor.kind, MemberKind::destructor);
  EXPECT_TRUE(destructor.is_virtual);
  const MemberFunction& area = function(data, "app::Data::area() const");
  EXPECT_EQ(area.kind, MemberKind::method);
  EXPECT_TRUE(area.is_virtual);
  EXPECT_EQ(area.result, "int");
  EXPECT_GT(area.place.line, 0);
  const MemberFunction& count = function(data, "app::Data::count(long)");
  EXPECT_EQ(count.kind, MemberKind::static_method);
  EXPECT_FALSE(count.is_virtual);
  EXPECT_EQ(function(data, "app::Data::operator+=(app::Data const&)").result, "app::Data&");
  EXPECT_EQ(function(data, "app::Data::operator int() const").kind, MemberKind::method);
}

TEST_P(Classes, VirtualFunctionsHaveTheirSlot) {
  const ClassLayout data = layout("app::Data");
  EXPECT_EQ(function(data, "app::Data::area() const").slot, 2u);
  EXPECT_EQ(function(data, "app::Data::more(char const*)").slot, 3u);
  EXPECT_EQ(function(data, "app::Data::count(long)").slot, std::nullopt);
}

TEST_P(Classes, EveryVariantOfAConstructorAndADestructorHasItsCode) {
  std::vector<std::string> code;
  for (const MemberCode& one : member_code(program(), ClassName("app::Data"))) {
    EXPECT_GT(one.symbol.range.size(), 0u) << one.symbol.mangled;
    code.push_back(one.symbol.demangled + (one.variant != 0 ? std::string(" ") + one.variant : ""));
  }
  EXPECT_THAT(code, IsSupersetOf({"app::Data::Data(int) 1", "app::Data::Data(int) 2", "app::Data::~Data() 0",
                                  "app::Data::~Data() 1", "app::Data::~Data() 2", "app::Data::area() const",
                                  "app::Data::count(long)", "app::Data::operator+=(app::Data const&)",
                                  "app::Data::operator int() const"}));
  EXPECT_THAT(code, Not(Contains(HasSubstr("app::Root"))));
}

TEST(ClassesUnknown, DefinitionsThatDifferAreAllListed) {
  const std::vector<ClassLayout> twice =
      class_layouts(Program::of_file(fixture("classes_different.so")), ClassName("app::Twice"));
  ASSERT_THAT(twice, SizeIs(2));
  EXPECT_FALSE(is_same_layout(twice[0], twice[1]));
}

TEST(ClassesUnknown, WithoutDebugInformationNothingIsKnown) {
  const Program program = Program::of_file(fixture("classes_without_debug.so"));
  EXPECT_THAT(class_layouts(program, ClassName("app::Data")), IsEmpty());
  const ClassUses uses = class_uses(program, ClassName("app::Data"));
  ASSERT_THAT(uses.problems, SizeIs(1));
  EXPECT_THAT(uses.problems.front(), HasSubstr("has no debug information"));
}

TEST(ClassesUnknown, AClassOfAnotherNamespaceIsAnother) {
  const Program program = Program::of_file(fixture("classes_gcc_O2_dwarf5.so"));
  EXPECT_THAT(class_layouts(program, ClassName("Data")), IsEmpty());
  EXPECT_THAT(class_layouts(program, ClassName("other::Data")), IsEmpty());
  EXPECT_THAT(member_code(program, ClassName("Data")), IsEmpty());
}

std::vector<std::string> functions_of(const ClassUses& uses, Reach reach) {
  std::vector<std::string> functions;
  for (const ClassUse& use : uses.functions)
    if (use.reach == reach) functions.push_back(use.function.substr(0, use.function.find('(')));
  return functions;
}

TEST_P(Classes, FunctionsThatNeedTheLayoutAreFound) {
  const std::vector<std::string> functions = functions_of(class_uses(program(), ClassName("app::Data")), Reach::layout);
  EXPECT_THAT(functions, IsSupersetOf({"app::by_pointer", "app::by_reference", "app::returned", "app::in_a_vector",
                                       "app::in_a_unique_ptr", "app::in_a_function_pointer", "app::Data::area",
                                       "app::calls_getter"}));
  EXPECT_THAT(functions, Not(Contains("app::in_a_subclass")));
}

TEST_P(Classes, FunctionsThatNeedTheSizeAreFound) {
  const std::vector<std::string> functions = functions_of(class_uses(program(), ClassName("app::Data")), Reach::size);
  EXPECT_THAT(functions,
              IsSupersetOf({"app::by_value", "app::in_a_block", "app::in_a_member", "app::in_a_vector_of_values",
                            "app::in_an_optional", "app::in_a_subclass", "app::in_an_array"}));
  EXPECT_THAT(functions, Not(Contains("app::by_pointer")));
}

TEST_P(Classes, FunctionsThatDoNotUseTheClassAreNotListed) {
  for (const ClassUse& use : class_uses(program(), ClassName("app::Data")).functions) {
    EXPECT_THAT(use.function, Not(HasSubstr("not_at_all")));
    EXPECT_THAT(use.function, Not(HasSubstr("nor_by_the_base")));
    EXPECT_THAT(use.function, Not(HasSubstr("app::Root::area")));
    EXPECT_GT(use.place.line, 0) << use.function;
    EXPECT_GT(use.code.size(), 0u) << use.function;
  }
}

TEST_P(Classes, StaticObjectsAreNamed) {
  std::vector<std::string> variables;
  for (const ClassVariable& variable : class_uses(program(), ClassName("app::Data")).variables)
    variables.push_back(variable.name.substr(variable.name.rfind(':') + 1) +
                        (variable.reach == Reach::size ? " by value" : ""));
  EXPECT_THAT(variables, testing::UnorderedElementsAre("the_data", "a_static by value"));
}

TEST_P(Classes, CopiesOfMemberFunctionsAreFoundWhereTheyAre) {
  const std::string name = GetParam();
  std::vector<std::string> copies;
  for (const MemberCopy& copy : member_copies(program(), ClassName("app::Data"))) {
    if (copy.caller.find("calls_getter") == std::string::npos) continue;
    const std::string file = std::filesystem::path(copy.place.file).filename().string();
    copies.push_back(copy.member + " at " + file + ":" + std::to_string(copy.place.line));
    EXPECT_THAT(copy.code, Not(IsEmpty()));
    for (const CodeRange& range : copy.code) EXPECT_TRUE(copy.caller_code.contains(range.begin));
  }
  if (name.find("O0") != std::string::npos)
    EXPECT_THAT(copies, IsEmpty());
  else
    EXPECT_THAT(copies, ElementsAre("app::Data::getter() const at calls.cpp:100"));
}

}  // namespace
}  // namespace moult::internal
