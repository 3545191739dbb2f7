// An update whose files were compiled with other types than the program.
#include "types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "apply_update.hpp"
#include "loaded_update.hpp"

namespace {

using moult::ErrorCode;
using moult::UpdateReport;
using moult::UpdateState;
using moult::test::apply;
using testing::HasSubstr;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

const app::Couple& couple() {
  static const app::Couple* const made = app::make_couple(1, 2);
  return *made;
}

const app::Form& form() {
  static const app::Form* const made = app::make_form();
  return *made;
}

void expect_refused(const UpdateReport& report, const std::string& what) {
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, ErrorCode::layout_mismatch);
  EXPECT_THAT(report.reason, HasSubstr(what));
  EXPECT_THAT(report.reason, HasSubstr("compile the update with the headers and flags of the program"));
}

TEST(Types, AClassThatGotAFieldInFrontIsRefused) {
  const UpdateReport report = apply(update().second_of());
  expect_refused(report, "moved: int second, from 4 to 12");
  EXPECT_THAT(
      report.reason,
      testing::ContainsRegex(
          "app::Couple: the update defines it at .*update/couples.cpp:5, and the program at .*types/couples.cpp:5"));
  EXPECT_EQ(app::second_of(couple()), 2);
}

TEST(Types, AClassThatTheOldFileOnlyDeclaresIsTheOneOfItsModule) {
  expect_refused(apply(update().pass_on()), "moved: int second, from 4 to 12");
  EXPECT_EQ(app::pass_on(couple()), 2);
}

TEST(Types, VirtualFunctionsInAnotherOrderAreRefused) {
  expect_refused(apply(update().area_of()), "app::Form::width() const is not at its place in the vtable");
  EXPECT_EQ(app::area_of(form()), 6);
}

TEST(Types, ABaseThatTheProgramsFileOnlyDeclaresIsNoDifference) {
  const UpdateReport report = apply(update().age_of_dog());
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::age_of_dog(), 5);
}

TEST(Types, AClassInAnUnnamedNamespaceMayHaveTheNameOfAnother) {
  const UpdateReport report = apply(update().own_size());
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(app::own_size(), 16);
}

}  // namespace
