// Whatever has a function's signature can be redefined, and only by what has the same.
#include <gtest/gtest.h>

#include <type_traits>

#include "redefine.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

MOULT_UPDATABLE int one(int x) { return x + 1; }
MOULT_UPDATABLE int two(int x) { return x + 2; }
MOULT_UPDATABLE int counts(int n, ...) { return n; }
MOULT_UPDATABLE int counts_two(int n, ...) { return 2 * n; }
MOULT_UPDATABLE int calm(int x) noexcept { return x; }
MOULT_UPDATABLE int calm_two(int x) noexcept { return x + 1; }

struct Qualified {
  MOULT_UPDATABLE int referred() & { return 1; }
  MOULT_UPDATABLE int moved() && { return 2; }
  MOULT_UPDATABLE int quiet() const noexcept { return 3; }
};
struct QualifiedV2 {
  MOULT_UPDATABLE int referred() & { return 10; }
  MOULT_UPDATABLE int moved() && { return 20; }
  MOULT_UPDATABLE int quiet() const noexcept { return 30; }
  MOULT_UPDATABLE int loud() const { return 40; }
};

TEST(Signatures, AFunctionWithAnEllipsisIsReplaced) {
  EXPECT_EQ(counts(3, 1), 3);
  ASSERT_EQ(redefine(counts, counts_two).state, UpdateState::applied);
  EXPECT_EQ(counts(3, 1), 6);
}

TEST(Signatures, QualifiedMethodsAreReplacedByThoseQualifiedAlike) {
  ASSERT_EQ(redefine(&Qualified::referred, &QualifiedV2::referred).state, UpdateState::applied);
  ASSERT_EQ(redefine(&Qualified::moved, &QualifiedV2::moved).state, UpdateState::applied);
  ASSERT_EQ(redefine(&Qualified::quiet, &QualifiedV2::quiet).state, UpdateState::applied);
  Qualified object;
  EXPECT_EQ(object.referred() + Qualified().moved() + object.quiet(), 60);
  static_assert(!detail::replaceable<decltype(&Qualified::referred), decltype(&QualifiedV2::moved)>);
  static_assert(!detail::replaceable<decltype(&Qualified::quiet), decltype(&QualifiedV2::referred)>);
}

TEST(Signatures, ALambdaWithoutCapturesReplacesAFunction) {
  ASSERT_EQ(redefine(one, [](int x) { return x + 50; }).state, UpdateState::applied);
  EXPECT_EQ(one(0), 50);
  const auto other = [](long) { return 0; };
  static_assert(!detail::replaceable<decltype(&one), decltype(other)>);
}

TEST(Signatures, OnlyTheNewVersionMayBeNoexceptWhereOneIs) {
  redefine_function(calm, calm_two);
  EXPECT_EQ(calm(4), 5);
  redefine_function(function<int(int) noexcept>("moult::subject::calm_two"), [](int x) noexcept { return x + 2; });
  EXPECT_EQ(calm_two(4), 6);
  redefine_function(two, [](int x) noexcept { return x + 7; });
  EXPECT_EQ(two(4), 11);
  static_assert(detail::replaceable<int (*)(int), int (*)(int) noexcept>);
  static_assert(!detail::replaceable<int (*)(int) noexcept, int (*)(int)>);
  static_assert(!detail::replaceable<Function<int(int) noexcept>, int (*)(int)>);
  static_assert(!detail::replaceable<decltype(&calm), decltype(&one)>);
  static_assert(!detail::replaceable<decltype(&Qualified::quiet), decltype(&QualifiedV2::loud)>);
}

}  // namespace subject
}  // namespace moult
