#include <gmock/gmock.h>

#include "fixtures.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// "app.cpp:20 in app::first(int)", the folder left out: the compilers differ in it.
std::vector<std::string> places_of(const std::vector<InlinedSite>& sites) {
  std::vector<std::string> places;
  for (const InlinedSite& site : sites) {
    const std::string file = std::filesystem::path(site.file).filename().string();
    places.push_back(file + ":" + std::to_string(site.line) + " in " + site.caller);
  }
  return places;
}

std::optional<std::vector<InlinedSite>> sites(const Program& program, std::string_view name) {
  const std::vector<FunctionSymbol> found = program.find(name);
  if (found.empty()) ADD_FAILURE() << name << " has no symbol";
  return found.empty() ? std::nullopt : program.inlined_sites(found.front());
}

/// The program in every form of debug information that holds all of it.
class Inlined : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }

  std::vector<std::string> places(std::string_view name) const {
    const auto found = sites(Program::of_file(fixture(GetParam())), name);
    return found ? places_of(*found) : std::vector<std::string>{"nothing is known"};
  }
};

INSTANTIATE_TEST_SUITE_P(Programs, Inlined,
                         testing::Values("inlined_gcc_O0_dwarf4.so", "inlined_gcc_O0_dwarf5.so",
                                         "inlined_gcc_O2_dwarf4.so", "inlined_gcc_O2_dwarf5.so",
                                         "inlined_clang_O0_dwarf4.so", "inlined_clang_O0_dwarf5.so",
                                         "inlined_clang_O2_dwarf4.so", "inlined_clang_O2_dwarf5.so", "inlined_lto.so",
                                         "inlined_type_units.so", "inlined_compressed.so", "inlined_split.so",
                                         "inlined_linked.so", "inlined_shared.so", "inlined_shared_dwarf4.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

TEST_P(Inlined, ALocalFunctionsCopiesAreFoundNestedOnesToo) {
  EXPECT_THAT(places("inlined_a.cpp:app::scale"),
              UnorderedElementsAre("app.cpp:20 in app::first(int)", "app.cpp:10 in app::second(int)",
                                   "app.cpp:10 in app::outer(int)"));
}

TEST_P(Inlined, AFunctionOfTheSameNameInAnotherFileIsAnotherFunction) {
  EXPECT_THAT(places("inlined_b.cpp:app::scale"), ElementsAre("other.cpp:20 in other_caller"));
}

TEST_P(Inlined, AFunctionOfAHeaderIsFoundInEveryFile) {
  EXPECT_THAT(places("in_header"),
              UnorderedElementsAre("app.cpp:40 in app::third(int)", "other.cpp:20 in other_caller"));
}

TEST_P(Inlined, AMethodAndAConstructorAreFoundInEveryFile) {
  EXPECT_THAT(places("Account::doubled"),
              UnorderedElementsAre("app.cpp:50 in app::Teller::count(int) const", "other.cpp:30 in other_account"));
  EXPECT_THAT(places("Account::Account"),
              UnorderedElementsAre("app.cpp:50 in app::Teller::count(int) const", "other.cpp:30 in other_account"));
}

TEST_P(Inlined, ALambdaIsFoundByTheNameOfItsFunction) {
  const Program program = Program::of_file(fixture(GetParam()));
  EXPECT_THAT(places_of(program.source_definition("app::with_lambda(int)::{lambda(int)#1}::operator()").copies),
              ElementsAre("app.cpp:80 in app::with_lambda(int)"));
  EXPECT_THAT(program.source_definition("app::first(int)::{lambda(int)#1}::operator()").copies, IsEmpty());
}

TEST_P(Inlined, AFunctionOfTheAnonymousNamespaceIsFound) {
  EXPECT_THAT(places("app::hidden"), ElementsAre("app.cpp:40 in app::third(int)"));
}

TEST_P(Inlined, ACFunctionIsFoundByItsPlainName) {
  EXPECT_THAT(places("plain_scale"), ElementsAre("app.cpp:60 in plain_caller"));
}

TEST_P(Inlined, AFunctionThatIsCalledHasNone) {
  const Program program = Program::of_file(fixture(GetParam()));
  EXPECT_THAT(sites(program, "app::never_inlined"), testing::Optional(IsEmpty()));
  EXPECT_EQ(program.debug_info_problem(program.find("app::never_inlined").front()), "");
}

TEST_P(Inlined, TheCallersRangeIsItsSymbols) {
  const Program program = Program::of_file(fixture(GetParam()));
  const auto found = sites(program, "plain_scale");
  ASSERT_TRUE(found);
  ASSERT_THAT(*found, SizeIs(1));
  EXPECT_EQ(found->front().caller_range, program.find("plain_caller").front().range);
}

TEST_P(Inlined, AnAddressHasALine) {
  const Program program = Program::of_file(fixture(GetParam()));
  const std::optional<SourceLine> line = program.line_of(program.find("app::never_inlined").front().range.begin);
  ASSERT_TRUE(line);
  EXPECT_THAT(line->file, testing::EndsWith("app.cpp"));
  EXPECT_EQ(line->line, 70);
}

TEST_P(Inlined, ResultTypesAreWrittenAsTheDemanglerDoes) {
  const Program program = Program::of_file(fixture(GetParam()));
  const auto result = [&](std::string_view name) {
    return program.result_type(program.find(name).front()).value_or("unknown");
  };
  EXPECT_EQ(result("returns_nothing"), "void");
  EXPECT_EQ(result("returns_size"), "unsigned long");
  EXPECT_EQ(result("returns_typedef"), "unsigned long");
  EXPECT_EQ(result("returns_text"), "char const*");
  EXPECT_EQ(result("returns_enum"), "Colour");
  EXPECT_EQ(result("returns_string"),
            "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >");
  EXPECT_EQ(result("returns_vector"), "std::vector<char const*, std::allocator<char const*> >");
  EXPECT_EQ(result("returns_box"), "Box<unsigned long, 3> const&");
  // In a type unit the class around is only declared, and whether its "2" is an int is not said.
  const bool is_declared_only = std::string_view(GetParam()) == "inlined_type_units.so";
  EXPECT_EQ(result("returns_lid"),
            is_declared_only ? "unknown" : "Box<std::vector<int, std::allocator<int> >, 2>::Lid");
  EXPECT_EQ(result("returns_function"), "int (*)(char, ...)");
  EXPECT_EQ(result("returns_long_long"), "long long");
  EXPECT_EQ(result("returns_pointers"), "unsigned short* const*");
  EXPECT_EQ(result("returns_null"), "decltype(nullptr)");
  EXPECT_EQ(result("app::never_inlined"), "int");
  EXPECT_EQ(result("app::Teller::count"), "int");
}

TEST(InlinedUnknown, WithoutDebugInformationNothingIsKnown) {
  const Program program = Program::of_file(fixture("inlined_without_debug.so"));
  EXPECT_FALSE(sites(program, "in_header"));
  EXPECT_THAT(program.debug_info_problem(program.find("in_header").front()), HasSubstr("has no debug information"));
  EXPECT_FALSE(program.result_type(program.find("in_header").front()));
  EXPECT_FALSE(program.line_of(program.find("in_header").front().range.begin));
}

TEST(InlinedUnknown, AFileCompiledWithoutDebugInformationIsNamedAsTheReason) {
  const Program program = Program::of_file(fixture("inlined_half.so"));
  const FunctionSymbol function = program.find("other_caller").front();
  EXPECT_FALSE(program.inlined_sites(function));
  EXPECT_THAT(program.debug_info_problem(function), HasSubstr("the source file of other_caller"));
  EXPECT_TRUE(program.inlined_sites(program.find("app::never_inlined").front()));
}

TEST(InlinedUnknown, MissingPartsOfSplitDebugInformationAreNamed) {
  const Program program = Program::of_file(fixture("inlined_split_lost.so"));
  const FunctionSymbol function = program.find("app::never_inlined").front();
  EXPECT_FALSE(program.inlined_sites(function));
  EXPECT_THAT(program.debug_info_problem(function), HasSubstr(".dwo"));
}

TEST(InlinedUnknown, AMissingSupplementaryFileIsNamed) {
  MOULT_NEEDS_FIXTURE("inlined_shared_lost.so");
  const Program program = Program::of_file(fixture("inlined_shared_lost.so"));
  const FunctionSymbol function = program.find("app::never_inlined").front();
  EXPECT_FALSE(program.inlined_sites(function));
  EXPECT_THAT(program.debug_info_problem(function), HasSubstr("inlined_shared_lost.so.debug"));
  EXPECT_FALSE(program.result_type(function));  // which is not void
}

TEST(InlinedUnknown, ASupplementaryFileInTheWayOfDwarf5IsMissing) {
  MOULT_NEEDS_FIXTURE("inlined_shared_standard.so");
  const Program program = Program::of_file(fixture("inlined_shared_standard.so"));
  const FunctionSymbol function = program.find("app::never_inlined").front();
  EXPECT_FALSE(program.inlined_sites(function));
  EXPECT_THAT(program.debug_info_problem(function), HasSubstr("dwz --dwarf-5"));
}

TEST(InlinedUnknown, ASupplementaryFileOfAnotherBuildIsMissing) {
  MOULT_NEEDS_FIXTURE("inlined_shared.so");
  const ScratchFolder folder;
  std::filesystem::copy_file(fixture("inlined_shared.so"), folder.file("inlined_shared.so"));
  std::filesystem::copy_file(fixture("classes_shared.so.debug"), folder.file("inlined_shared.so.debug"));
  const Program program = Program::of_file(folder.file("inlined_shared.so"));
  const FunctionSymbol function = program.find("app::never_inlined").front();
  EXPECT_FALSE(program.inlined_sites(function));
  EXPECT_THAT(program.debug_info_problem(function), HasSubstr("inlined_shared.so.debug"));
  EXPECT_FALSE(program.result_type(function));
}

}  // namespace
}  // namespace moult::internal
