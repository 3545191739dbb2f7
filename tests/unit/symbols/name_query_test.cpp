#include "symbols/name_query.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(Spelling, CountsWhatAHandMistypes) {
  EXPECT_EQ(typos_between("answer", "answer"), 0U);
  EXPECT_EQ(typos_between("answer", "anwser"), 1U) << "swapped";
  EXPECT_EQ(typos_between("answer", "answr"), 1U) << "left out";
  EXPECT_EQ(typos_between("answer", "annswer"), 1U) << "added";
  EXPECT_EQ(typos_between("answer", "anseer"), 1U) << "mistaken";
  EXPECT_EQ(typos_between("", "abc"), 3U);
  EXPECT_EQ(typos_between("abc", ""), 3U);
}

TEST(Spelling, DefaultArgumentsOfTheStandardLibraryAreLeftOut) {
  EXPECT_EQ(as_written("f<std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > >"),
            "f<std::string>");
  EXPECT_EQ(as_written("std::map<int, A, std::less<int>, std::allocator<std::pair<int const, A> > >"),
            "std::map<int,A>");
  EXPECT_EQ(as_written("std::vector<int, Own<int> >"), "std::vector<int,Own<int>>");
  EXPECT_EQ(as_written("mine::vector<int, std::allocator<int> >"), "mine::vector<int,std::allocator<int>>");
  EXPECT_EQ(as_written("std::operator<< <char>"), "std::operator<<<char>");
  EXPECT_EQ(as_written("f(std::basic_string_view<char, std::char_traits<char> >)"), "f(std::string_view)");
}

TEST(Spelling, ShortNamesAreNearOnlyToThemselves) {
  EXPECT_FALSE(are_near("f", "g"));
  EXPECT_TRUE(are_near("f", "f"));
  EXPECT_TRUE(are_near("tic", "tik"));
  EXPECT_FALSE(are_near("tic", "tac2"));
  EXPECT_TRUE(are_near("print_all", "prnit_al"));
  EXPECT_FALSE(are_near("print_all", "point_wells"));
}

TEST(NameOfASymbol, IsQualifiedWithoutResultParametersAndSuffix) {
  EXPECT_EQ(qualified_name("ns::f(int)"), "ns::f");
  EXPECT_EQ(qualified_name("main"), "main");
  EXPECT_EQ(qualified_name("void ns::f<int>(int) const [clone .cold]"), "ns::f<int>");
  EXPECT_EQ(qualified_name("void (*f<int>(int))(char)"), "f<int>") << "a result that surrounds the name";
  EXPECT_EQ(qualified_name("ns::C::operator()(int)"), "ns::C::operator()");
}

TEST(NameOfASymbol, HasAScopeAndALastComponent) {
  EXPECT_EQ(scope_of("ns::C::f<a::b>"), "ns::C");
  EXPECT_EQ(last_name_of("ns::C::f<a::b>"), "f<a::b>");
  EXPECT_EQ(scope_of("main"), "");
  EXPECT_EQ(last_name_of("main"), "main");
  EXPECT_EQ(last_name_of("ns::C::operator<<"), "operator<<");
}

TEST(NameOfASymbol, IsTakenApartBehindTheSymbolsOfOperators) {
  EXPECT_EQ(scope_of("ns::Calls<&(C::operator<(C const&) const)>::f"), "ns::Calls<&(C::operator<(C const&) const)>");
  EXPECT_EQ(qualified_name("int ns::Calls<&(operator>>(C const&, C const&))>::f<int>(int)"),
            "ns::Calls<&(operator>>(C const&, C const&))>::f<int>");
  EXPECT_EQ(last_name_of("C::operator()(int) const::Local::f"), "f");
  EXPECT_EQ(last_name_of("C::operator< <ns::D>"), "operator< <ns::D>");
  EXPECT_EQ(last_name_of("C::operator ns::D*"), "operator ns::D*");
  EXPECT_EQ(last_name_of("C::operator new"), "operator new");
}

NameQuery::Fit fit(const char* query, const char* mangled, const char* demangled) {
  return NameQuery(query).fit(mangled, demangled);
}

TEST(NameQuery, FitsTheQualifiedNameWithOrWithoutItsParameters) {
  EXPECT_EQ(fit("ns::f", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::exact);
  EXPECT_EQ(fit("::ns::f", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::exact);
  EXPECT_EQ(fit("ns::f(int)", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::exact);
  EXPECT_EQ(fit("ns::f(long)", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::none);
  EXPECT_EQ(fit("f", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::none) << "another scope";
}

TEST(NameQuery, FitsATemplateWithoutItsArgumentsLoosely) {
  EXPECT_EQ(fit("f", "_Z1fIiEvT_", "void f<int>(int)"), NameQuery::Fit::loose);
  EXPECT_EQ(fit("f<int>", "_Z1fIiEvT_", "void f<int>(int)"), NameQuery::Fit::exact);
  EXPECT_EQ(fit("f<long>", "_Z1fIiEvT_", "void f<int>(int)"), NameQuery::Fit::none);
}

TEST(NameQuery, SpacesThatSeparateNothingDoNotCount) {
  EXPECT_EQ(fit("f<std::pair<int, int>>", "_Z1fISt4pairIiiEEvT_", "void f<std::pair<int, int> >(std::pair<int, int>)"),
            NameQuery::Fit::exact);
}

TEST(NameQuery, AnUnnamedNamespaceMayBeOmitted) {
  const char* const demangled = "ns::(anonymous namespace)::f(int)";
  EXPECT_EQ(fit("ns::f", "_ZN2ns12_GLOBAL__N_11fEi", demangled), NameQuery::Fit::exact);
  EXPECT_EQ(fit("ns::(anonymous namespace)::f", "_ZN2ns12_GLOBAL__N_11fEi", demangled), NameQuery::Fit::exact);
  EXPECT_EQ(fit("ns::(anonymous namespace)::f", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::none);
}

TEST(NameQuery, AMangledNameFitsItselfOnly) {
  EXPECT_EQ(fit("_ZN2ns1fEi", "_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::exact);
  EXPECT_EQ(fit("_ZN2ns1fEi", "_ZN2ns1fEl", "ns::f(long)"), NameQuery::Fit::none);
  EXPECT_FALSE(NameQuery("_ZN2ns1fEi").may_fit("_ZN2ns1fEl"));
}

TEST(NameQuery, TheMangledNameAloneExcludesOthers) {
  EXPECT_TRUE(NameQuery("ns::answer").may_fit("_ZN2ns6answerEv"));
  EXPECT_FALSE(NameQuery("ns::answer").may_fit("_ZN2ns7answer2Ev"));
  EXPECT_TRUE(NameQuery("ns::C::operator+").may_fit("_ZN2ns1CplEi")) << "an operator is known by its class";
  EXPECT_TRUE(NameQuery("memcpy").may_fit("memcpy"));
  EXPECT_FALSE(NameQuery("memcpy").may_fit("memmove"));
}

TEST(NameQuery, ASourceFileInFrontSelectsItsFunctions) {
  const NameQuery query("a.cpp:ns::f");
  EXPECT_EQ(query.source(), "a.cpp");
  EXPECT_TRUE(query.fits_source("/build/src/a.cpp"));
  EXPECT_FALSE(query.fits_source("b.cpp"));
  EXPECT_FALSE(query.fits_source("")) << "an unknown file";
  EXPECT_EQ(query.fit("_ZN2ns1fEi", "ns::f(int)"), NameQuery::Fit::exact);
  EXPECT_TRUE(query.in_any_source().fits_source("b.cpp"));
  EXPECT_TRUE(NameQuery("ns::f").fits_source("b.cpp"));
}

TEST(NameQuery, WithoutAScopeCannotFitWhatIsInANamedOne) {
  const NameQuery query("get");
  EXPECT_TRUE(query.may_fit("_Z3geti"));
  EXPECT_TRUE(query.may_fit("_ZL3geti"));
  EXPECT_TRUE(query.may_fit("_ZN12_GLOBAL__N_13getEi"));
  EXPECT_TRUE(query.may_fit("get"));
  EXPECT_FALSE(query.may_fit("_ZN2ns3getEi"));
  EXPECT_FALSE(query.may_fit("_ZNK1C3getEv"));
  EXPECT_FALSE(query.may_fit("_ZSt3getIiE"));
  EXPECT_FALSE(query.may_fit("_ZZ1fvE3get"));
  EXPECT_FALSE(query.may_fit("_Z3puti"));
  EXPECT_TRUE(NameQuery("ns::get").may_fit("_ZN2ns3getEi"));
  EXPECT_TRUE(NameQuery("std::get").may_fit("_ZSt3getIiE"));
}

TEST(NameQuery, MayFitAPlainNameThatBeginsWithItsIdentifier) {
  EXPECT_TRUE(NameQuery("ns::get").may_fit_plain("get"));
  EXPECT_FALSE(NameQuery("ns::get").may_fit_plain("target"));
  EXPECT_FALSE(NameQuery("ns::get").may_fit_plain("ge"));
  EXPECT_FALSE(NameQuery("_Z3geti").may_fit_plain("get"));
  EXPECT_TRUE(NameQuery("operator+").may_fit_plain("operator+"));
  EXPECT_FALSE(NameQuery("operator+").may_fit_plain("plus"));
}

TEST(NameQuery, KnowsWhetherTheIdentifierIsTheFunctionsOwn) {
  for (const char* const name : {"f", "ns::f", "ns::f<int>", "ns::C::~C", "a.cpp:f", "f(int)", "_Z1fi", "operators"})
    EXPECT_TRUE(NameQuery(name).has_own_identifier()) << name;
  for (const char* const name : {"operator+", "ns::operator+", "ns::C::operator int", "ns::C::operator()",
                                 "f(int)::{lambda(int)#1}::operator()", ""})
    EXPECT_FALSE(NameQuery(name).has_own_identifier()) << name;
}

}  // namespace
}  // namespace moult::internal
