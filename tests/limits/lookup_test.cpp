// Functions looked up by name.
#include <string>

#include "refusal.hpp"

namespace lookup {
int call_twice_of_one(int x);
int call_twice_of_two(int x);
MOULT_UPDATABLE int overloaded(int x) { return x; }
MOULT_UPDATABLE int overloaded(const std::string& text) { return static_cast<int>(text.size()); }
MOULT_UPDATABLE int four_times(int x) { return x * 4; }

using limits::expect_error;
using moult::ErrorCode;

TEST(Lookup, NoSuchFunctionIsRefusedWithSimilarNames) {
  expect_error(ErrorCode::not_found, {"lookup::overload:", "lookup::overloaded(int)"},
               [] { moult::function<int(int)>("lookup::overload"); });
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

TEST(Lookup, TheSignatureChoosesAmongOverloads) {
  EXPECT_NE(moult::function<int(int)>("lookup::overloaded").address(),
            moult::function<int(const std::string&)>("lookup::overloaded").address());
}

}  // namespace lookup
