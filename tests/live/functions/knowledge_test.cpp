// Old versions whose bodies the compiler knew where they are called, in a source file compiled with plain -O2.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "knowledge/callers.hpp"
#include "redefine.hpp"

namespace app {

int charge_elsewhere(int amount) {
  calls += amount;
  return calls;
}

}  // namespace app

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using testing::AllOf;
using testing::HasSubstr;

/// Changes every register that a function may change.
MOULT_UPDATABLE int through_text(int x) {
  char text[64];
  std::snprintf(text, sizeof text, "%d %f", x * 5, x * 0.5);
  return std::atoi(text);
}
MOULT_UPDATABLE int five_times(int x) { return x * 5; }
MOULT_UPDATABLE int by_factor(int x) { return x * app::factor; }

Function<int(int)> old(const char* name) { return moult::function<int(int)>(name); }

long sum_of(int (*version)(int), int others, int n) {
  long sum = 0;
  for (int i = 0; i < n; ++i) sum += version(i) + others;
  return sum;
}

TEST(KnownBody, ARegisterThatACallerKeepsOverTheCallIsARefusal) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  const long before = app::keeps_registers(1, 2, 3, 4);
  const UpdateReport report = redefine(old("app::counted"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, ErrorCode::unsupported_code);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("counted(int)"), HasSubstr("keeps_registers"), HasSubstr("-fipa-ra"),
                                   HasSubstr("MOULT_UPDATABLE")));
  EXPECT_EQ(app::keeps_registers(1, 2, 3, 4), before);
}

MOULT_UPDATABLE int counts_again(int x) {
  ++app::calls;
  return x * 5;
}

TEST(KnownBody, ARegisterThatACallerKeepsIsARefusalForTheVersionOfAVersion) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  UpdateReport report = redefine(old("app::counted"), counts_again);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::keeps_registers(1, 2, 3, 4), sum_of(counts_again, 6, 4));
  report = redefine(counts_again, through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("-fipa-ra"));
  EXPECT_EQ(app::keeps_registers(1, 2, 3, 4), sum_of(counts_again, 6, 4));
}

TEST(KnownBody, ARegisterThatACallerOfACallerKeepsIsARefusal) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  EXPECT_NE(app::keeps_over_two(1, 2, 3, 4), 0);
  const UpdateReport report = redefine(old("app::innermost"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("keeps_over_two"), HasSubstr("-fipa-ra")));
}

TEST(KnownBody, ArgumentsThatACallerPassesOnAreARefusal) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  app::anything = [](int a, int b) { return 10L * a + b; };
  EXPECT_EQ(app::passes_on(1, 2), 12);
  const auto checked = moult::function<void(int, int)>("app::checked");
  void (*const fresh)(int, int) = [](int a, int b) { through_text(a + b); };
  const UpdateReport report = redefine(checked, fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("passes_on"), HasSubstr("a value in rsi"), HasSubstr("-fipa-ra")));
}

TEST(KnownBody, ARegisterThatACallerKeepsOverAnAtomicOperationIsARefusal) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  EXPECT_NE(app::keeps_over_atomic(1, 2, 3, 4), 0);
  const UpdateReport report = redefine(old("app::counted_atomically"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("keeps_over_atomic"), HasSubstr("-fipa-ra")));
}

TEST(KnownBody, ARegisterThatACallerKeepsOverAShortJumpIsARefusal) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  EXPECT_NE(app::keeps_over_tail(1, 2, 3, 4), 0);
  const UpdateReport report = redefine(old("app::jumped_to"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("keeps_over_tail"), HasSubstr("-fipa-ra")));
}

/// The old caller may be in progress, and the new one may call it.
TEST(KnownBody, ARegisterThatACallerKeepsIsARefusalWhereTheCallerIsRedefinedToo) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  EXPECT_NE(app::keeps_registers(1, 2, 3, 4), 0);
  long (*const fresh)(int, int, int, int) = [](int a, int b, int c, int n) -> long { return a + b + c + n; };
  const std::vector<Redefinition> both{Redefinition(old("app::counted"), through_text),
                                       Redefinition(app::keeps_registers, fresh)};
  const UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>("both", both));
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("-fipa-ra"));
}

TEST(KnownBody, ARegisterThatACallerReturnsItsResultInIsARefusal) {
  if (app::by_clang) GTEST_SKIP() << "clang relies on no registers";
  EXPECT_EQ(app::keeps_result(1, 2), std::complex<double>(1, 2));
  void (*const fresh)() = [] { through_text(1); };
  const UpdateReport report = redefine(moult::function<void()>("app::counted_before_result"), fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("keeps_result"), HasSubstr("xmm0"), HasSubstr("-fipa-ra")));
}

TEST(KnownBody, AVersionIsTakenWhereCallersKeepNothing) {
  EXPECT_EQ(app::keeps_nothing(4), 15);
  const UpdateReport report = redefine(old("app::counted_alone"), through_text);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::keeps_nothing(4), 21);
}

TEST(KnownBody, AStackThatIsNotAlignedIsARefusalForAVersionThatMayNeedIt) {
  if (app::by_clang) GTEST_SKIP() << "clang aligns every stack";
  EXPECT_EQ(app::calls_unaligned(4), 25);
  UpdateReport report = redefine(old("app::counted_unaligned"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("calls_unaligned"), HasSubstr("-fipa-stack-alignment")));
  report = redefine(old("app::counted_unaligned"), counts_again);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::calls_unaligned(4), 21);
}

TEST(KnownBody, AVersionOfAFunctionThatCallsAnythingIsTaken) {
  EXPECT_NE(app::calls_noisy(1, 2, 3, 4), 0);
  const UpdateReport report = redefine(old("app::noisy"), through_text);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::calls_noisy(1, 2, 3, 4), sum_of(through_text, 6, 4));
}

TEST(KnownBody, AVersionOfAMarkedFunctionIsTaken) {
  EXPECT_NE(app::calls_marked(1, 2, 3, 4), 0);
  const UpdateReport report = redefine(app::marked, through_text);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::calls_marked(1, 2, 3, 4), sum_of(through_text, 6, 4));
}

TEST(KnownBody, AVersionWithSideEffectsIsRefusedWhereCallsMayHaveBeenMerged) {
  EXPECT_NE(app::sums_of_triple(2), 0);
  const UpdateReport report = redefine(old("app::triple"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("triple(int)"), HasSubstr("sums_of_triple"), HasSubstr("-fipa-pure-const"),
                                   HasSubstr("MOULT_UPDATABLE")));
}

TEST(KnownBody, AVersionThatReadsAVariableIsRefusedWhereTheOldOneReadsNone) {
  EXPECT_NE(app::sums_of_triple(2), 0);
  const UpdateReport report = redefine(old("app::triple"), by_factor);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("reads no variable"));
}

TEST(KnownBody, AVersionThatReadsAVariableIsRefusedWhereTheOldOneReadsConstants) {
  EXPECT_NE(app::sums_of_price(2), 0);
  const UpdateReport report = redefine(old("app::price"), by_factor);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("reads no variable"));
}

/// clang keeps only variables that are local to the file.
TEST(KnownBody, AVersionThatAssignsToAVariableThatACallerKeepsIsARefusal) {
  EXPECT_EQ(app::keeps_variable(2), 25);
  int (*const assigns)(int) = [](int x) { return static_cast<int>(app::shown = x * 100L); };
  int (*const lets_assign)(int) = [](int x) { return app::show(x * 100L), x; };
  for (int (*const fresh)(int) : {assigns, lets_assign}) {
    const UpdateReport report = redefine(old("app::counted_beside"), fresh);
    EXPECT_EQ(report.state, UpdateState::refused);
    EXPECT_THAT(report.reason, AllOf(HasSubstr("does not assign to app::shown"), HasSubstr("keeps_variable"),
                                     HasSubstr("-fipa-modref")));
  }
  EXPECT_EQ(app::keeps_variable(2), 25);
}

TEST(KnownBody, AVersionThatReadsAVariableThatACallerAssignsToIsARefusal) {
  EXPECT_EQ(app::keeps_variable(2), 25);
  int (*const reads)(int) = [](int x) { return static_cast<int>(app::shown) + x; };
  const UpdateReport report = redefine(old("app::counted_beside"), reads);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("does not read app::shown"), HasSubstr("keeps_variable")));
}

TEST(KnownBody, WhatTheCLibraryDoesWithoutSideEffectsIsNone) {
  EXPECT_NE(app::sums_of_length(2), 0);
  static int times = 0;
  int (*const counts)(const char*) = [](const char*) { return ++times; };
  const UpdateReport report = redefine(moult::function<int(const char*)>("app::length"), counts);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("has no side effects"));
}

TEST(KnownBody, TheEndOfTheProgramIsNoSideEffect) {
  EXPECT_NE(app::sums_of_checked_triple(2), 0);
  const UpdateReport report = redefine(old("app::checked_triple"), through_text);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("side effects"));
}

TEST(KnownBody, AVersionWithoutSideEffectsIsTakenForOneWithout) {
  EXPECT_NE(app::sums_of_triple(2), 0);
  const UpdateReport report = redefine(old("app::triple"), five_times);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::sums_of_triple(2), 2 * (15 + 35));
}

TEST(KnownBody, AVersionThatReadsAVariableIsTakenForOneThatDoes) {
  EXPECT_NE(app::sums_of_base(2), 0);
  const UpdateReport report = redefine(old("app::base"), by_factor);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::sums_of_base(2), 2 * (9 + 21));
}

TEST(KnownBody, AVersionWithSideEffectsIsTakenForAMarkedFunction) {
  EXPECT_NE(app::sums_of_marked_triple(2), 0);
  static int times = 0;
  int (*const counts)(int) = [](int x) { return x + ++times; };
  const UpdateReport report = redefine(app::marked_triple, counts);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::sums_of_marked_triple(2), 8 + 9);
}

TEST(KnownBody, AnArgumentThatClangDoesNotPassIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ makes a clone";
  EXPECT_NE(app::calls_second(4), 0);
  const auto second = moult::function<int(int, int)>("app::second");
  int (*const both)(int, int) = [](int x, int y) { return x + y; };
  int (*const last)(int, int) = [](int, int y) { return y; };
  for (int (*const fresh)(int, int) : {both, last}) {
    const UpdateReport report = redefine(second, fresh);
    EXPECT_EQ(report.state, UpdateState::refused);
    EXPECT_THAT(report.reason, AllOf(HasSubstr("second(int, int)"), HasSubstr("clang need not pass it"),
                                     HasSubstr("calls_second"), HasSubstr("MOULT_UPDATABLE")));
  }
}

TEST(KnownBody, AnArgumentOfASharedFunctionThatClangDoesNotPassIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ passes it";
  EXPECT_NE(app::calls_shared_second(4), 0);
  int (*const both)(int, int) = [](int x, int y) { return x + y; };
  EXPECT_EQ(redefine(app::shared_second, both).state, UpdateState::refused);
}

TEST(KnownBody, AnArgumentBehindThePlaceOfAResultThatClangDoesNotPassIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ passes it";
  EXPECT_EQ(app::calls_label(4), 1);
  app::Label (*const fresh)(int) = [](int x) -> app::Label { return {{x, x, x, x}}; };
  const UpdateReport report = redefine(app::label, fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, HasSubstr("clang need not pass it"));
}

TEST(KnownBody, APointerInWhosePlaceClangPassesWhatItPointsToIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ makes a clone";
  EXPECT_EQ(app::calls_promoted(4), 32);
  int (*const fresh)(const int*) = [](const int* x) { return *x; };
  const UpdateReport report = redefine(moult::function<int(const int*)>("app::promoted"), fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("gets its argument x otherwise"), HasSubstr("calls_promoted")));
}

TEST(KnownBody, AnArgumentThatBothVersionsPassOnIsTaken) {
  app::anything = [](int a, int b) { return app::calls = 10 * a + b, 0L; };
  EXPECT_EQ(app::calls_pass_on(2), 23);
  void (*const fresh)(int, int) = [](int a, int b) {
    app::anything(a, b);
    app::calls += 5;
  };
  const UpdateReport report = redefine(app::pass_on, fresh);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::calls_pass_on(2), 28);
}

TEST(KnownBody, AnArgumentThatTheOldVersionReadsIsTaken) {
  app::calls = 1;
  EXPECT_EQ(app::calls_reads_both(4), 8);
  const auto reads_both = moult::function<int(int, int)>("app::reads_both");
  int (*const fresh)(int, int) = [](int x, int y) { return through_text(x) * 100 + y; };
  const UpdateReport report = redefine(reads_both, fresh);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::calls_reads_both(4), 1005);
}

MOULT_UPDATABLE int throws_two(int amount) {
  if (amount == 2) throw std::runtime_error("limit");
  return amount;
}

TEST(KnownBody, AVersionThatThrowsIsRefusedWhereTheCallersHandlerMayBeLeftOut) {
  EXPECT_EQ(app::serves_charge(100), -1);
  const UpdateReport report = redefine(old("app::charge"), throws_two);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, ErrorCode::unsupported_code);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("charge(int)"), HasSubstr("serves_charge"), HasSubstr("throws_two(int)"),
                                   HasSubstr("MOULT_UPDATABLE")));
}

TEST(KnownBody, AVersionThatThrowsIsTakenWhereTheCallersFileIsAnother) {
  app::calls = 0;
  EXPECT_EQ(app::charges_elsewhere(100), -1);
  EXPECT_EQ(app::charges_elsewhere(2), 3);
  const UpdateReport report = redefine(app::charge_elsewhere, throws_two);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_THROW(app::charges_elsewhere(2), std::runtime_error);
}

TEST(KnownBody, AResultThatClangTakesForKnownIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ asks for it";
  EXPECT_EQ(app::calls_always_seven(), 8);
  const auto always = moult::function<int()>("app::always_seven");
  int (*const fresh)() = [] { return app::calls + 8; };
  const UpdateReport report = redefine(always, fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("always_seven()"), HasSubstr("always returns the same")));
}

TEST(KnownBody, ATruthATextOrAnEnumeratorThatClangTakesForKnownIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ asks for it";
  EXPECT_NE(app::calls_always(), 0);
  bool (*const truth)() = [] { return app::calls > 5; };
  const char* (*const text)() = []() -> const char* { return app::calls > 5 ? "one" : "other"; };
  app::Status (*const status)() = [] { return app::calls > 5 ? app::Status::ready : app::Status::busy; };
  EXPECT_EQ(redefine(app::always_true, truth).state, UpdateState::refused);
  EXPECT_EQ(redefine(app::always_text, text).state, UpdateState::refused);
  EXPECT_EQ(redefine(app::always_busy, status).state, UpdateState::refused);
}

TEST(KnownBody, AMarkThatDoesNotShowIsARefusalThatNamesTheVisibility) {
  if (!app::by_clang) GTEST_SKIP() << "g++'s mark shows on hidden functions, too";
  EXPECT_EQ(app::calls_hidden_seven(), 8);
  int (*const fresh)() = [] { return app::calls + 8; };
  const UpdateReport report = redefine(moult::function<int()>("app::hidden_seven"), fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("hidden_seven()"), HasSubstr("give it default visibility")));
  EXPECT_EQ(app::calls_hidden_seven(), 8);
}

TEST(KnownBody, AResultThatClangTakesFromAnArgumentIsARefusal) {
  if (!app::by_clang) GTEST_SKIP() << "g++ asks for it";
  EXPECT_EQ(app::calls_itself(5), 6);
  const auto itself = moult::function<int(int)>("app::itself");
  int (*const fresh)(int) = [](int x) { return x * 2; };
  const UpdateReport report = redefine(itself, fresh);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, AllOf(HasSubstr("itself(int)"), HasSubstr("the same value or argument")));
}

}  // namespace subject
}  // namespace moult
