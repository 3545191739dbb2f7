// Redefinition as a program sees it: every way to call a function reaches the new version.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>

#include "moult/alterability.hpp"
#include "moult/error.hpp"
#include "moult/updates.hpp"
#include "redefine.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

MOULT_UPDATABLE int one(int x) { return x + 1; }
MOULT_UPDATABLE int two(int x) { return x + 2; }
MOULT_UPDATABLE int three(int x) { return x + 3; }

MOULT_UPDATABLE int throws_one() { throw std::runtime_error("one"); }
MOULT_UPDATABLE int throws_two() { throw std::runtime_error("two"); }

TEST(Redefinition, EveryWayToCallReachesTheNewVersion) {
  int (*pointer)(int) = one;
  std::function<int(int)> function = one;
  EXPECT_EQ(one(0) + pointer(0) + function(0), 3);
  UpdateReport report = redefine(one, two);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(one(0), 2);
  EXPECT_EQ(pointer(0), 2);
  EXPECT_EQ(function(0), 2);
  EXPECT_EQ(function == nullptr, false);
}

TEST(Redefinition, TheReportSaysWhatWasDone) {
  UpdateReport report = redefine(one, two);
  ASSERT_EQ(report.changes.size(), 1u);
  EXPECT_NE(report.changes.front().find("one(int)"), std::string::npos) << report.changes.front();
  EXPECT_NE(report.changes.front().find("two(int)"), std::string::npos) << report.changes.front();
  EXPECT_GT(report.pause.count(), 0);
}

TEST(Redefinition, TheNewestWins) {
  ASSERT_EQ(redefine(one, two).state, UpdateState::applied);
  ASSERT_EQ(redefine(one, three).state, UpdateState::applied);
  EXPECT_EQ(one(0), 3);
}

TEST(Redefinition, ANewVersionMayBeRedefinedItself) {
  ASSERT_EQ(redefine(one, two).state, UpdateState::applied);
  ASSERT_EQ(redefine(two, three).state, UpdateState::applied);
  EXPECT_EQ(one(0), 3);
  EXPECT_EQ(two(0), 3);
}

TEST(Redefinition, ExceptionsPassThroughIt) {
  ASSERT_EQ(redefine(throws_one, throws_two).state, UpdateState::applied);
  try {
    throws_one();
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "two");
  }
}

struct Shape {
  explicit Shape(int s) : side(s) {}
  virtual ~Shape() = default;
  MOULT_UPDATABLE virtual int area() const { return side * side; }
  MOULT_UPDATABLE int doubled() const { return 2 * side; }
  int side;
};
struct Derived final : Shape {
  using Shape::Shape;
};
struct ShapeV2 {
  virtual ~ShapeV2() = default;
  MOULT_UPDATABLE virtual int area() const { return -side; }
  MOULT_UPDATABLE int doubled() const { return 20 * side; }
  int side;
};

/// A class has a vtable only where something constructs it.
[[gnu::used]] ShapeV2 an_example;

TEST(Redefinition, MethodsAndVirtualMethodsOfEveryObjectAreReplaced) {
  std::unique_ptr<Shape> shape = std::make_unique<Shape>(3);
  std::unique_ptr<Shape> derived = std::make_unique<Derived>(4);
  UpdateReport report = apply(std::make_unique<SafeRedefineMethodUpdate>(
      "methods",
      std::vector{Redefinition(&Shape::area, &ShapeV2::area), Redefinition(&Shape::doubled, &ShapeV2::doubled)}));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(shape->area(), -3);
  EXPECT_EQ(derived->area(), -4);
  EXPECT_EQ(shape->doubled(), 60);
}

TEST(Redefinition, ByNameItFindsMethodsAskedForByAPointerToMember) {
  using Area = int (Shape::*)() const;
  std::unique_ptr<Shape> shape = std::make_unique<Shape>(3);
  EXPECT_EQ(shape->area() + shape->doubled(), 15);
  UpdateReport report = apply(std::make_unique<SafeRedefineUpdate>(
      "methods", std::vector{Redefinition(function<Area>("moult::subject::Shape::area"), &ShapeV2::area),
                             Redefinition(function<Area>("moult::subject::Shape::doubled"), &ShapeV2::doubled)}));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(shape->area(), -3);
  EXPECT_EQ(shape->doubled(), 60);
}

TEST(Redefinition, SeveralAreAllReplacedOrNone) {
  // The second cannot be: a function is not redefined as itself.
  UpdateReport report = apply(
      std::make_unique<SafeRedefineUpdate>("both", std::vector{Redefinition(one, two), Redefinition(three, three)}));
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(one(0), 1);
}

TEST(Redefinition, AnAppliedUpdateIsTakenBack) {
  UpdateReport report = redefine(one, two);
  ASSERT_EQ(report.state, UpdateState::applied);
  EXPECT_TRUE(is_applied("redefine"));
  roll_back(report.id);
  EXPECT_EQ(one(0), 1);
  EXPECT_FALSE(is_applied("redefine"));
}

TEST(Redefinition, TakingTheOlderOfTwoBackLeavesTheNewer) {
  UpdateReport older = redefine(one, two);
  UpdateReport newer = redefine(one, three);
  roll_back(older.id);
  EXPECT_EQ(one(0), 3);
  roll_back(newer.id);
  EXPECT_EQ(one(0), 1);
}

class ThrowsAfterApply final : public SafeRedefineUpdate {
 public:
  using SafeRedefineUpdate::SafeRedefineUpdate;
  void cleanup() override { throw std::runtime_error("late trouble"); }
};

TEST(Redefinition, AThrowAfterTheChangeTakesItBack) {
  UpdateReport report = apply(std::make_unique<ThrowsAfterApply>("late", one, two));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_NE(report.reason.find("late trouble"), std::string::npos) << report.reason;
  EXPECT_EQ(one(0), 1);
  EXPECT_EQ(redefine(one, three).state, UpdateState::applied);
  EXPECT_EQ(one(0), 3);
}

class ResumesTooEarly final : public SafeRedefineUpdate {
 public:
  using SafeRedefineUpdate::SafeRedefineUpdate;
  void apply() override {
    resume_suspended_threads();
    SafeRedefineUpdate::apply();
  }
};

TEST(Redefinition, AnUpdateThatResumesTheProgramBeforeItsChangeFailsAndChangesNothing) {
  UpdateReport report = apply(std::make_unique<ResumesTooEarly>("early", one, two));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_EQ(report.code, ErrorCode::invalid_argument);
  EXPECT_NE(report.reason.find("resume_hook"), std::string::npos) << report.reason;
  EXPECT_EQ(one(0), 1);
}

TEST(Redefinition, WithoutAnUpdateItStopsTheProgramByItself) {
  redefine_function(one, two);
  EXPECT_EQ(one(0), 2);
}

TEST(Redefinition, ByNameItFindsStaticFunctions) {
  redefine_function(function<int(int)>("moult::subject::one"), two);
  EXPECT_EQ(one(0), 2);
}

}  // namespace subject
}  // namespace moult
