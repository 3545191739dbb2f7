// Lookups of functions by name that are refused.
#include <dlfcn.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "refusal.hpp"

namespace lookup {
int call_twice_of_one(int x);
int call_twice_of_two(int x);
int call_left_twin(int x);
int left_double(int x);
int right_double(int x);
int call_right_double(int x);
int call_right_twin(int x);
int undescribed(int x);
int holds_toascii(int x);
int holds_melted();
extern "C" int lookup_melted(int x);
extern "C" int lookup_first_name(int x);
extern "C" int lookup_second_name(int x);
extern "C" int lookup_labelled(int x);
MOULT_UPDATABLE int overloaded(int x) { return x; }
MOULT_UPDATABLE int overloaded(const std::string& text) { return static_cast<int>(text.size()); }
MOULT_UPDATABLE int four_times(int x) { return x * 4; }

struct Counter {
  MOULT_UPDATABLE int add(int x) { return total += x; }
  MOULT_UPDATABLE int sum(int x) const { return total + x; }
  MOULT_UPDATABLE static int fixed(int x) { return x; }
  int total = 0;
};
struct Other {};

struct First {
  MOULT_UPDATABLE virtual ~First() = default;
};
struct Second {
  MOULT_UPDATABLE virtual ~Second() = default;
};
struct Joint : First, Second {
  MOULT_UPDATABLE ~Joint() override = default;
};
[[gnu::used]] Joint joint;  // otherwise its destructor would not be compiled

using limits::expect_error;
using moult::ErrorCode;

TEST(Lookup, NoSuchFunctionIsRefusedWithSimilarNames) {
  expect_error(ErrorCode::not_found, {"lookup::overload:", "lookup::overloaded(int)"},
               [] { moult::function<int(int)>("lookup::overload"); });
}

TEST(Lookup, AMistypedNameIsRefusedWithTheNearestThereAre) {
  expect_error(ErrorCode::not_found,
               {"lookup::uor_times: no function of that name has a symbol; there are lookup::four_times(int)"},
               [] { moult::function<int(int)>("lookup::uor_times"); });
}

TEST(Lookup, NeitherMoultsNorTheStandardLibrarysNamesAreSuggested) {
  const auto message = [](const char* name) -> std::string {
    try {
      return moult::function<int(int)>(name).name();
    } catch (const moult::Error& error) {
      return error.what();
    }
  };
  const std::string redefinition = message("redefine_functions");
  EXPECT_THAT(redefinition, testing::HasSubstr("no function of that name has a symbol"));
  EXPECT_THAT(redefinition, testing::Not(testing::HasSubstr("moult::")));
  EXPECT_THAT(message("push_bac"), testing::Not(testing::HasSubstr("std::")));
}

TEST(Lookup, ANameThatIsNearNoneIsNotTakenForASignOfAStrippedProgram) {
  expect_error(ErrorCode::not_found,
               {"no_name_like_this_one_at_all: no function of that name has a symbol; moult functions lists"},
               [] { moult::function<int(int)>("no_name_like_this_one_at_all"); });
}

TEST(Lookup, AnEmptyNameIsRefusedAsSuch) {
  expect_error(ErrorCode::invalid_argument, {"a function's name must not be empty"},
               [] { moult::function<int()>(""); });
}

TEST(Lookup, AnAmbiguousNameListsTheCandidates) {
  expect_error(ErrorCode::ambiguous, {"lookup::twice fits 2", "one.cpp", "two.cpp", "put the source file in front"},
               [] { moult::function<int(int)>("lookup::twice"); });
}

TEST(Lookup, TheSourceFileInFrontChooses) {
  moult::redefine_function(moult::function<int(int)>("one.cpp:lookup::twice"), four_times);
  EXPECT_EQ(call_twice_of_one(3), 12);
  EXPECT_EQ(call_twice_of_two(3), 6);
}

TEST(Lookup, OtherParametersAreRefusedWithThoseThereAre) {
  expect_error(ErrorCode::signature_mismatch, {"(double)", "lookup::four_times(int)"},
               [] { moult::function<int(double)>("lookup::four_times"); });
}

TEST(Lookup, AnotherResultIsRefused) {
  expect_error(ErrorCode::signature_mismatch, {"lookup::four_times(int) returns int, not double"},
               [] { moult::function<double(int)>("lookup::four_times"); });
}

TEST(Lookup, AMethodIsNoFreeFunction) {
  expect_error(ErrorCode::signature_mismatch,
               {"lookup::Counter::add(int) is a method: ask for it as int (lookup::Counter::*)(int)"},
               [] { moult::function<int(int)>("lookup::Counter::add"); });
  expect_error(ErrorCode::signature_mismatch, {"int (lookup::Counter::*)(int)const"},
               [] { moult::function<int(int)>("lookup::Counter::sum"); });
}

TEST(Lookup, AStaticMethodIsOne) {
  EXPECT_NE(moult::function<int(int)>("lookup::Counter::fixed").address(), nullptr);
  expect_error(ErrorCode::signature_mismatch, {"lookup::Counter::fixed(int) is called without an object"},
               [] { moult::function<int (Counter::*)(int)>("lookup::Counter::fixed"); });
}

TEST(Lookup, AMethodIsAskedForByItsOwnClassAndQualifiers) {
  EXPECT_NE(moult::function<int (Counter::*)(int)>("lookup::Counter::add").address(), nullptr);
  EXPECT_NE(moult::function<int (Counter::*)(int) const>("lookup::Counter::sum").address(), nullptr);
  expect_error(ErrorCode::signature_mismatch, {"is no method of lookup::Other"},
               [] { moult::function<int (Other::*)(int)>("lookup::Counter::add"); });
  expect_error(ErrorCode::signature_mismatch, {"none has the parameters (int)const"},
               [] { moult::function<int (Counter::*)(int) const>("lookup::Counter::add"); });
}

TEST(Lookup, AThunkIsNoCandidate) {
  EXPECT_NE(moult::function<void (Joint::*)()>("lookup::Joint::~Joint").address(), nullptr);
}

TEST(Lookup, AnIndirectFunctionIsRefused) {
  expect_error(ErrorCode::unsupported, {"strlen in", "libc.so", "IFUNC", "redefine what calls it"},
               [] { moult::function<std::size_t(const char*)>("strlen"); });
}

TEST(Lookup, AnExportedFunctionIsPreferredToPrivateOnesOfOtherLibraries) {
  EXPECT_EQ(moult::function<void*(std::size_t)>("malloc").address(), dlsym(RTLD_DEFAULT, "malloc"));
}

[[gnu::always_inline]] inline int vanished(int x) { return four_times(x) + 1; }
MOULT_UPDATABLE int holds_what_vanished(int x) { return vanished(x); }
[[gnu::always_inline]] static inline int vanished_here(int x) { return four_times(x) + 2; }
MOULT_UPDATABLE int holds_what_vanished_here(int x) { return vanished_here(x); }

TEST(Lookup, AFunctionThatWasInlinedEverywhereIsRefusedWithEveryPlace) {
  EXPECT_EQ(holds_what_vanished(1) + holds_what_vanished_here(1), 11);
  expect_error(ErrorCode::inlined, {"inlined everywhere", "lookup_test.cpp:", "(lookup::holds_what_vanished(int))"},
               [] { moult::function<int(int)>("lookup::vanished"); });
  expect_error(ErrorCode::inlined, {"inlined everywhere", "(lookup::holds_what_vanished_here(int))"},
               [] { moult::function<int(int)>("lookup::vanished_here"); });
}

TEST(Lookup, AnInlinedFunctionOfTheProgramIsNotTakenForALibrarysOfTheSameName) {
  EXPECT_EQ(holds_toascii(1), 11);
  expect_error(ErrorCode::inlined, {"toascii: inlined everywhere", "inlined.cpp:", "(lookup::holds_toascii(int))"},
               [] { moult::function<int(int)>("toascii"); });
}

TEST(Lookup, AFunctionThatIsSaidToBeInlinedIsRefusedAlsoWhereNoPlaceIsNamed) {
#ifdef __clang__
  GTEST_SKIP() << "clang leaves no trace of an inlined function whose instructions all vanished";
#endif
  const int before = holds_melted();
  expect_error(ErrorCode::inlined, {"lookup_melted: ", "names no place", "MOULT_UPDATABLE"},
               [] { moult::redefine_function(lookup_melted, four_times); });
  EXPECT_EQ(holds_melted(), before);
}

TEST(Lookup, TheParametersOfACFunctionAreThoseOfItsDebugInformation) {
  EXPECT_NO_THROW(moult::function<int(int)>("lookup_melted"));
  expect_error(ErrorCode::signature_mismatch, {"lookup_melted has the parameters (int), not (char const*)"},
               [] { moult::function<int(const char*)>("lookup_melted"); });
}

TEST(Lookup, AFunctionThatSharesItsCodeWithAnotherIsRefusedByBothNames) {
  if (moult::function<int(int)>("lookup::left_twin").address() !=
      moult::function<int(int)>("lookup::right_twin").address())
    GTEST_SKIP() << "this compiler does not fold functions that are alike";
  const int before = call_left_twin(1) + call_right_twin(1);
  expect_error(ErrorCode::unsupported_code, {"left_twin(int)", "right_twin(int)", "shares its entry", "-fno-ipa-icf"},
               [] { moult::redefine_function(moult::function<int(int)>("lookup::left_twin"), four_times); });
  EXPECT_EQ(call_left_twin(1) + call_right_twin(1), before);
}

TEST(Lookup, AFunctionWhoseDirectCallsMayGoToAnotherIsRefusedByBothNames) {
  const int direct = call_right_double(2);
  int refused = 0;
  for (int (*const each)(int) : {left_double, right_double}) try {
      moult::redefine_function(each, four_times);
      EXPECT_EQ(call_right_double(2), each == right_double ? 8 : direct) << "this compiler folds nothing";
    } catch (const moult::Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported_code);
      EXPECT_THAT(error.what(), testing::HasSubstr("-fipa-icf"));
      ++refused;
    }
  EXPECT_EQ(right_double(2), call_right_double(2));
#if !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_EQ(refused, 2) << "g++ folds them";
#endif
}

TEST(Lookup, ASecondNameOfAFunctionIsNoOther) {
  EXPECT_EQ(lookup_second_name(1), 9);
  moult::redefine_function(moult::function<int(int)>("lookup_second_name"), four_times);
  EXPECT_EQ(lookup_first_name(1), 4);
  EXPECT_EQ(lookup_second_name(1), 4);
}

TEST(Lookup, AnAliasOfAFunctionWithAPrivateNameIsNoOther) {
  EXPECT_EQ(lookup_labelled(1), 10);
  moult::redefine_function(moult::function<int(int)>("lookup_labelled"), four_times);
  EXPECT_EQ(lookup_labelled(1), 4);
}

TEST(Lookup, WithoutDebugInformationTheReportWarns) {
  const moult::UpdateReport report =
      limits::apply(std::make_unique<moult::SafeRedefineUpdate>("undescribed", undescribed, four_times));
  ASSERT_EQ(report.state, moult::UpdateState::applied) << report.reason;
  EXPECT_THAT(report.warnings, testing::ElementsAre(testing::HasSubstr("lookup::undescribed(int): ")));
}

TEST(Lookup, ALibraryWhoseFileHasChangedIsNamedWhereAFunctionIsNotFound) {
  const std::string copy = testing::TempDir() + "changed_library_" + std::to_string(::getpid()) + ".so";
  std::filesystem::copy_file(PLAIN_LIBRARY, copy);
  ASSERT_NE(dlopen(copy.c_str(), RTLD_NOW), nullptr) << dlerror();
  std::fstream(copy, std::ios::in | std::ios::out | std::ios::binary) << "no longer";
  expect_error(ErrorCode::not_found, {"of one library nothing is known: ", copy},
               [] { moult::function<int()>("lookup_plainly_missing"); });
  std::filesystem::remove(copy);
}

TEST(Lookup, TheSignatureChoosesAmongOverloads) {
  EXPECT_NE(moult::function<int(int)>("lookup::overloaded").address(),
            moult::function<int(const std::string&)>("lookup::overloaded").address());
}

}  // namespace lookup
