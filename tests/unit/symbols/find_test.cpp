#include <gmock/gmock.h>

#include "fixtures.hpp"
#include "moult/error.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::vector<std::string> names_of(const std::vector<FunctionSymbol>& functions) {
  std::vector<std::string> names;
  for (const FunctionSymbol& function : functions) names.push_back(function.demangled);
  return names;
}

/// The same program by each compiler at each level.
class Find : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }
  std::vector<FunctionSymbol> find(std::string_view name) const {
    return Program::of_file(fixture(GetParam())).find(name);
  }
  std::vector<std::string> names(std::string_view name) const { return names_of(find(name)); }
};

INSTANTIATE_TEST_SUITE_P(Programs, Find,
                         testing::Values("names_gcc_O0.so", "names_gcc_O2.so", "names_clang_O0.so",
                                         "names_clang_O2.so"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

TEST_P(Find, ReturnsEveryOverload) { EXPECT_THAT(names("ns::f"), UnorderedElementsAre("ns::f(int)", "ns::f(double)")); }

TEST_P(Find, WantsTheWholeQualifiedName) {
  EXPECT_THAT(names("f"), IsEmpty());
  EXPECT_THAT(names("s::f"), IsEmpty());
  EXPECT_THAT(names("ns::"), IsEmpty());
  EXPECT_THAT(names(""), IsEmpty());
}

TEST_P(Find, TakesParametersThatAreGiven) {
  EXPECT_THAT(names("ns::f(int)"), ElementsAre("ns::f(int)"));
  EXPECT_THAT(names("ns::C::method(int) const"), ElementsAre("ns::C::method(int) const"));
}

TEST_P(Find, TakesAMangledName) { EXPECT_THAT(names("_ZN2ns1fEd"), ElementsAre("ns::f(double)")); }

TEST_P(Find, CountsAliasesOnce) {
  EXPECT_THAT(find("plain"), SizeIs(1));
  EXPECT_THAT(find("plain_alias"), SizeIs(1));
  EXPECT_EQ(find("plain").front().range, find("plain_alias").front().range);
}

TEST_P(Find, FindsMethodsAndOperators) {
  EXPECT_THAT(names("ns::C::method"), ElementsAre("ns::C::method(int) const"));
  EXPECT_THAT(names("ns::C::operator+"), ElementsAre("ns::C::operator+(ns::C const&) const"));
  EXPECT_THAT(names("ns::C::operator()"), ElementsAre("ns::C::operator()(int) const"));
  EXPECT_THAT(names("ns::C::operator bool"), ElementsAre("ns::C::operator bool() const"));
  EXPECT_THAT(find("ns::adds()::{lambda(int)#1}::operator()"), SizeIs(1));
}

TEST_P(Find, CountsTheVariantsOfAConstructorOnce) { EXPECT_THAT(names("ns::C::C"), ElementsAre("ns::C::C(int)")); }

TEST_P(Find, LeavesOutTheDeletingDestructor) {
  EXPECT_THAT(names("ns::C::~C"), ElementsAre("ns::C::~C()"));
  EXPECT_THAT(find("_ZN2ns1CD0Ev"), SizeIs(1)) << "it can still be asked for by its own name";
}

TEST_P(Find, LooksPastTheResultOfATemplate) {
  EXPECT_THAT(names("ns::twice<int>"), ElementsAre("int ns::twice<int>(int)"));
  EXPECT_THAT(names("ns::twice"), SizeIs(2)) << "without arguments every instance is meant";
}

TEST_P(Find, TakesTheAnonymousNamespaceForGranted) {
  EXPECT_THAT(names("ns::hidden"), ElementsAre("ns::(anonymous namespace)::hidden(int)"));
  EXPECT_THAT(names("ns::(anonymous namespace)::hidden"), SizeIs(1));
}

TEST_P(Find, LooksPastAbiTags) {
  EXPECT_THAT(find("ns::tagged"), SizeIs(1));
  EXPECT_THAT(find("ns::tagged[abi:cxx11]"), SizeIs(1));
}

TEST_P(Find, TakesTypesAsTheyAreWritten) {
  EXPECT_THAT(find("ns::twice_the_size<std::string>"), SizeIs(1));
  EXPECT_THAT(find("ns::twice_the_size<std::string>(std::string const&, std::map<int, std::vector<std::string>>*)"),
              SizeIs(1));
  EXPECT_THAT(find("ns::twice_the_size<std::wstring>"), IsEmpty());
  EXPECT_THAT(find("ns::Tag::text"), SizeIs(1));
  EXPECT_THAT(find("ns::Tag::text[abi:cxx11]"), SizeIs(1));
}

TEST_P(Find, ChoosesALocalFunctionByItsFile) {
  EXPECT_THAT(find("twin"), SizeIs(2));
  const std::vector<FunctionSymbol> found = find("names_b.cpp:twin");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(found.front().is_local);
  EXPECT_THAT(found.front().source, testing::EndsWith("names_b.cpp"));
  EXPECT_THAT(find("names_c.cpp:twin"), IsEmpty());
}

TEST_P(Find, GivesAFunctionWithoutASizeTheRoomUpToTheNext) {
  const std::vector<FunctionSymbol> found = find("no_size");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_GE(found.front().range.size(), 4U);
}

TEST_P(Find, LeadsBackFromEveryAddressOfAFunction) {
  const Program program = Program::of_file(fixture(GetParam()));
  const FunctionSymbol function = program.find("ns::C::method").front();
  for (CodeAddress address = function.range.begin; address < function.range.end; address = address + 1) {
    ASSERT_TRUE(program.at(address)) << value(address);
    EXPECT_EQ(program.at(address)->mangled, "_ZNK2ns1C6methodEi");
  }
}

TEST_P(Find, FindsDataByItsMangledName) {
  const Program program = Program::of_file(fixture(GetParam()));
  EXPECT_TRUE(program.find_data("_ZTVN2ns1CE"));
  EXPECT_FALSE(program.find_data("_ZTVN2ns1DE"));
}

TEST_P(Find, SuggestsNamesThatContainAText) {
  const Program program = Program::of_file(fixture(GetParam()));
  EXPECT_THAT(names_of(program.search("metho", 10)), ElementsAre("ns::C::method(int) const"));
  EXPECT_THAT(names_of(program.search("ns::f(", 10)), ElementsAre("ns::f(double)", "ns::f(int)"));
  EXPECT_THAT(program.search("ns::", 3), SizeIs(3));
}

TEST(Fragments, BelongToTheFunctionTheyWereMadeOf) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const std::vector<FunctionSymbol> found = program.find("global");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().demangled, "global(int)");
  EXPECT_THAT(found.front().fragments, SizeIs(3));
  EXPECT_THAT(found.front().clones, ElementsAre("global(int) [clone .part.0]"));
}

TEST(Fragments, TheBodyOfACoroutineIsNoClone) {
  const std::vector<FunctionSymbol> found = Program::of_file(fixture("fragments.so")).find("coroutine");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found.front().fragments, SizeIs(3));
  EXPECT_THAT(found.front().clones, IsEmpty());
}

TEST(Fragments, VersionsForEachProcessorAreAnIndirectFunction) {
  const Program program = Program::of_file(fixture("fragments.so"));
  EXPECT_THAT(program.find("versioned"), IsEmpty());
  EXPECT_THAT(program.named("versioned").indirect, SizeIs(1));
}

TEST(Fragments, OfALocalFunctionAreThoseOfTheSameFile) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const std::vector<FunctionSymbol> first = program.find("fragments.cpp:local");
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(first.front().clones, ElementsAre("local(int) [clone .constprop.0]"));
  const std::vector<FunctionSymbol> second = program.find("fragments_b.cpp:local");
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_THAT(second.front().clones, ElementsAre("local(int) [clone .part.0]"));
}

TEST(Fragments, OfAHiddenFunctionAreFoundThoughTheLinkerMadeItLocal) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const std::vector<FunctionSymbol> found = program.find("hidden");
  ASSERT_THAT(found, SizeIs(1));
  ASSERT_THAT(found.front().fragments, SizeIs(1));
  EXPECT_EQ(program.at(found.front().fragments.front().begin)->range, found.front().range);
}

TEST(Fragments, LeadBackToTheirFunction) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const FunctionSymbol function = program.find("global").front();
  for (const CodeRange& fragment : function.fragments) {
    ASSERT_TRUE(program.at(fragment.begin));
    EXPECT_EQ(program.at(fragment.begin)->range, function.range);
  }
}

TEST(Fragments, AFunctionRenamedByTheLinkerIsNoFragment) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const std::vector<FunctionSymbol> found = program.find("renamed");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().demangled, "renamed(int)");
  EXPECT_GT(found.front().range.size(), 0U);
  EXPECT_THAT(found.front().fragments, SizeIs(1));
  EXPECT_THAT(found.front().clones, IsEmpty());
}

TEST(Fragments, ALocalAliasIsTheFunctionItself) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const std::vector<FunctionSymbol> found = program.find("aliased");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found.front().fragments, IsEmpty());
  EXPECT_EQ(program.at(found.front().range.begin)->mangled, "_Z7aliasedi");
}

TEST(Fragments, OfAFunctionThatIsGoneAreFoundUnderItsName) {
  const Program program = Program::of_file(fixture("fragments.so"));
  const std::vector<FunctionSymbol> found = program.find("onlyclone");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.front().range.size(), 0U);
  EXPECT_EQ(found.front().demangled, "onlyclone(int)");
  EXPECT_THAT(found.front().clones, ElementsAre("onlyclone(int) [clone .isra.0]"));
}

}  // namespace
}  // namespace moult::internal
