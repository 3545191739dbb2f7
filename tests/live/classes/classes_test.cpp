// Redefinition of classes as a program sees it: what it makes from then on is of the new class.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "apply_update.hpp"
#include "classes.hpp"
#include "loaded_update.hpp"
#include "moult/alterability.hpp"
#include "moult/manager.hpp"
#include "update.hpp"

namespace {

using app::Data;
using app::Shape;
using moult::UpdateReport;
using moult::UpdateState;
using moult::test::apply;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

TEST(ClassRedefinition, ObjectsThatOldCodeMakesAreOfTheNewClass) {
  const UpdateReport report = apply(update().redefine_data());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  ASSERT_GT(update().data_v2_size(), static_cast<int>(sizeof(Data)));
  Data* data = app::make_data(5);
  EXPECT_EQ(update().origin_of(*data), "made by the new constructor, and long enough to be allocated");
  EXPECT_EQ(app::value_of(*data), 1005);
  Data* copy = app::copy_of(*data);
  EXPECT_EQ(update().origin_of(*copy).substr(0, 13), "copied from: ");
  EXPECT_FALSE(app::are_equal(*data, *copy));
  app::add_to(*copy, 2);
  EXPECT_EQ(app::value_of(*copy), 1025);
  app::drop(data);
  app::drop(copy);
  EXPECT_EQ(update().destroyed(), 2);
}

TEST(ClassRedefinition, ManyGrownObjectsDoNotTouchEachOther) {
  ASSERT_EQ(apply(update().redefine_data()).state, UpdateState::applied);
  std::vector<Data*> many;
  for (int i = 0; i < 1000; ++i) many.push_back(app::make_data(i));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(app::value_of(*many[i]), 1000 + i);
    EXPECT_EQ(update().origin_of(*many[i]).size(), 60u);
  }
  for (Data* data : many) app::drop(data);
}

TEST(ClassRedefinition, StaticMemberFunctionsAreRedirected) {
  EXPECT_EQ(Data::version(), "one");
  ASSERT_EQ(apply(update().redefine_data()).state, UpdateState::applied);
  EXPECT_EQ(Data::version(), "two");
}

TEST(ClassRedefinition, TheReportNamesEveryFunction) {
  const UpdateReport report = apply(update().redefine_data());
  EXPECT_THAT(report.changes, testing::Contains("app::Data::Data(int) redefined as next::DataV2::DataV2(int)"));
  EXPECT_THAT(report.changes, testing::Contains("app::Data::value() const redefined as next::DataV2::value() const"));
  EXPECT_THAT(report.changes,
              testing::Contains("app::Data::operator+=(int) redefined as next::DataV2::operator+=(int)"));
}

TEST(ClassRedefinition, ObjectsMadeByOldCodeHaveTheNewVtable) {
  Shape* before = app::make_shape(3);
  const UpdateReport report = apply(update().redefine_shape());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  Shape* after = app::make_shape(3);
  EXPECT_EQ(app::area_of(*after), -16);
  EXPECT_EQ(app::name_of(*after), "new shape");
  EXPECT_NE(std::string(typeid(*after).name()).find("ShapeV2"), std::string::npos);
  // The old object keeps its vtable, whose functions are redirected.
  EXPECT_EQ(app::area_of(*before), -9);
  EXPECT_EQ(app::name_of(*before), "new shape");
  EXPECT_EQ(typeid(*before), typeid(Shape));
  const int destroyed = update().destroyed();
  app::drop(before);
  app::drop(after);
  EXPECT_EQ(update().destroyed(), destroyed + 2);
}

TEST(ClassRedefinition, SubclassesOfTheProgramGetTheNewBase) {
  ASSERT_EQ(apply(update().redefine_shape()).state, UpdateState::applied);
  Shape* square = app::make_square(4);
  EXPECT_EQ(app::side_of(*square), 5);
  EXPECT_EQ(app::area_of(*square), -25);
  EXPECT_EQ(app::name_of(*square), "square");
  const int destroyed = update().destroyed();
  app::drop(square);
  EXPECT_EQ(update().destroyed(), destroyed + 1);
}

TEST(ClassRedefinition, ANewVirtualFunctionIsRefusedForObjectsInNoPool) {
  Shape* shape = app::make_shape(3);
  const UpdateReport report = apply(update().add_corners_to_shape());
  ASSERT_EQ(report.state, UpdateState::refused);
  EXPECT_THAT(report.reason, testing::HasSubstr("virtual function added: next::ShapeWithCorners::corners() const"));
  EXPECT_THAT(report.reason, testing::HasSubstr("in no pool they are not found"));
  EXPECT_THAT(report.reason, testing::HasSubstr("app::Square")) << "a subclass, whose table would lack it, too";
  EXPECT_EQ(app::name_of(*shape), "shape");
  app::drop(shape);
}

TEST(ClassRedefinition, ANewVirtualFunctionIsRefusedWhileAnObjectLivesThatLacksIt) {
  app::Figure* before = app::make_figure();
  const UpdateReport refused = apply(update().add_corners_to_figure());
  ASSERT_EQ(refused.state, UpdateState::failed);
  EXPECT_THAT(refused.reason, testing::HasSubstr("app::Figure: 1 object lives whose table of virtual functions lacks"));
  EXPECT_THAT(refused.reason, testing::HasSubstr("convert them first"));
  EXPECT_EQ(app::name_of(*before), "figure");
  app::drop(before);

  const UpdateReport report = apply(update().add_corners_to_figure());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  app::Figure* after = app::make_figure();
  EXPECT_EQ(app::name_of(*after), "figure with 3 corners");
  EXPECT_EQ(update().corners_of(*after), 3);
  app::drop(after);
}

TEST(ClassRedefinition, AnOverrideIsNoNewVirtualFunction) {
  Shape* before = app::make_square(3);
  const UpdateReport report = apply(update().override_area());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  Shape* after = app::make_square(3);
  EXPECT_EQ(app::area_of(*after), 300);
  EXPECT_EQ(app::name_of(*after), "square with an area");
  EXPECT_EQ(app::area_of(*before), 9) << "its table leads to the base's";
  app::drop(before);
  app::drop(after);
}

TEST(ClassRedefinition, ItIsTakenBackAsAWhole) {
  const UpdateReport report = apply(update().redefine_shape());
  ASSERT_EQ(report.state, UpdateState::applied);
  moult::roll_back(report.id);
  Shape* shape = app::make_shape(3);
  EXPECT_EQ(app::area_of(*shape), 9);
  EXPECT_EQ(app::name_of(*shape), "shape");
  EXPECT_EQ(typeid(*shape), typeid(Shape));
  app::drop(shape);
}

bool was_seen_active = false;
void look_for_busy(void*) { was_seen_active = moult::is_class_in_any_stack<app::Busy>(); }

TEST(ClassActivity, AClassIsActiveWhileOneOfItsMethodsRuns) {
  app::Busy busy(1);
  EXPECT_FALSE(moult::is_class_in_any_stack<app::Busy>());
  busy.call(look_for_busy, nullptr);
  EXPECT_TRUE(was_seen_active);
  EXPECT_EQ(busy.n, 2);
}

void look_for_shape(void* seen) { *static_cast<bool*>(seen) = moult::is_class_in_any_stack<app::Shape>(); }

TEST(ClassActivity, AnotherClassIsNot) {
  bool seen = true;
  app::Busy(1).call(look_for_shape, &seen);
  EXPECT_FALSE(seen);
}

/// Inlined into its caller below.
struct Inlined {
  int n = 0;
  [[gnu::always_inline]] int call(void (*inside)(void*), void* seen) {
    inside(seen);
    return n + 1;
  }
};
void look_for_inlined(void* seen) { *static_cast<bool*>(seen) = moult::is_class_in_any_stack<Inlined>(); }

[[gnu::noinline]] int has_a_copy(Inlined& object, bool& seen) {
  const int before = object.call(look_for_inlined, &seen);
  return before + (seen ? 1 : 0);
}

TEST(ClassActivity, CopiesOfItsMethodsCount) {
  Inlined object;
  bool seen = false;
  has_a_copy(object, seen);
  EXPECT_TRUE(seen);
}

TEST(ClassActivity, InAnotherThreadToo) {
  struct Meeting {
    std::atomic<bool> is_inside{false};
    std::atomic<bool> may_leave{false};
  } meeting;
  app::Busy busy(1);
  std::jthread worker([&] {
    busy.call(
        [](void* argument) {
          auto& met = *static_cast<Meeting*>(argument);
          met.is_inside = true;
          met.is_inside.notify_one();
          met.may_leave.wait(false);
        },
        &meeting);
  });
  meeting.is_inside.wait(false);
  EXPECT_TRUE(moult::is_class_in_any_stack<app::Busy>());
  EXPECT_FALSE(moult::is_class_in_any_stack<app::Shape>());
  meeting.may_leave = true;
  meeting.may_leave.notify_one();
  worker.join();
  EXPECT_FALSE(moult::is_class_in_any_stack<app::Busy>());
}

}  // namespace
