#include <gmock/gmock.h>

#include "fixtures.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The program in every form of debug information that holds all of it.
class SourceFunctions : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }

  SourceDefinition definition(std::string_view name) const {
    return Program::of_file(fixture(GetParam())).source_definition(name);
  }
  std::vector<std::string> callers_of_copies(std::string_view name) const {
    std::vector<std::string> callers;
    for (const InlinedSite& site : definition(name).copies) callers.push_back(site.caller);
    return callers;
  }
};

INSTANTIATE_TEST_SUITE_P(Programs, SourceFunctions,
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

TEST_P(SourceFunctions, AreDefinedWhateverTheirLinkage) {
  const Program program = Program::of_file(fixture(GetParam()));
  for (const char* const name :
       {"app::never_inlined", "app::never_inlined(int)", "_ZN3app13never_inlinedEi", "app::outer", "app::hidden",
        "app::Teller::count", "in_header", "Account::doubled", "Account::Account", "plain_scale", "plain_caller"}) {
    EXPECT_TRUE(program.source_definition(name).is_defined) << name;
    EXPECT_TRUE(program.defines(name)) << name;
  }
}

TEST_P(SourceFunctions, HaveCopiesWithOrWithoutAMangledName) {
  EXPECT_THAT(callers_of_copies("app::hidden"), ElementsAre("app::third(int)"));
  EXPECT_THAT(callers_of_copies("app::outer"), ElementsAre("app::second(int)"));
  EXPECT_THAT(callers_of_copies("plain_scale"), ElementsAre("plain_caller"));
  EXPECT_THAT(callers_of_copies("in_header"), ElementsAre("app::third(int)", "other_caller"));
  EXPECT_THAT(callers_of_copies("Account::doubled"), SizeIs(2));
}

TEST_P(SourceFunctions, MethodsOfLocalClassesAreKnownInTheirClassOnly) {
  EXPECT_TRUE(definition("Hidden::turned").is_defined);
  EXPECT_THAT(callers_of_copies("Hidden::turned"), ElementsAre("calls_turned(int)"));
  EXPECT_FALSE(definition("turned").is_defined);
  EXPECT_THAT(callers_of_copies("turned"), IsEmpty());
}

TEST_P(SourceFunctions, OfAFileAreToldFromThoseOfAnother) {
  EXPECT_THAT(callers_of_copies("inlined_b.cpp:app::scale"), ElementsAre("other_caller"));
  EXPECT_FALSE(definition("inlined_b.cpp:app::outer").is_defined);
}

TEST_P(SourceFunctions, NamesOfOtherThingsAreNot) {
  const Program program = Program::of_file(fixture(GetParam()));
  for (const char* const name : {"x", "app::x", "balance", "Account::balance", "box", "Box", "Box::content", "Colour",
                                 "red", "Text", "app", "Teller", "app::Teller", "thrice", "int"}) {
    const SourceDefinition found = program.source_definition(name);
    EXPECT_FALSE(found.is_defined) << name;
    EXPECT_THAT(found.copies, IsEmpty()) << name;
    EXPECT_FALSE(program.defines(name)) << name;
  }
}

TEST_P(SourceFunctions, AreNotFoundInAnotherScope) {
  const Program program = Program::of_file(fixture(GetParam()));
  for (const char* const name : {"scale", "hidden", "first", "count", "app::in_header", "Teller::count", "app::count",
                                 "app::plain_caller", "Account::scale", "doubled"})
    EXPECT_FALSE(program.source_definition(name).is_defined) << name;
}

TEST_P(SourceFunctions, ThatAreOnlyDeclaredAreNotDefined) {
  const Program program = Program::of_file(fixture(GetParam()));
  for (const char* const name : {"wcslen", "std::string::append", "std::vector<char const*>::push_back"})
    EXPECT_FALSE(program.source_definition(name).is_defined) << name;
}

}  // namespace
}  // namespace moult::internal
