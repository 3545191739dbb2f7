// Code that an update has handed over may run after the update has ended. A class that this code would misread does not
// grow; it grows when the code cannot run any more. Each update is a file of its own.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "moult/class_additions.hpp"
#include "moult/manager.hpp"
#include "moult/progressive_access.hpp"
#include "note.hpp"

#ifdef __SANITIZE_ADDRESS__
/// The program deletes notes as what they were, which had no destructor: what a title owns is lost.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }  // NOLINT(*-reserved-identifier)
#endif

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using testing::HasSubstr;

constexpr const char* growing = "update";

/// Loads it and calls its entry, as the listener does.
UpdateReport apply(const std::string& file) {
  void* const library = ::dlopen((UPDATES + file + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(::dlerror());
  reinterpret_cast<void (*)()>(::dlsym(library, "moult_update_entry"))();
  while (!is_ended(moult::all_updates().back().state))
    moult::threaded_manager("test").wait_current_update(std::chrono::seconds(60));
  return moult::all_updates().back();
}

std::uint64_t hand_over(const std::string& way) {
  app::note();
  app::card();
  const UpdateReport report = apply(way);
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  return report.id;
}

void expect_notes_cannot_grow() {
  const UpdateReport report = apply(growing);
  EXPECT_EQ(report.state, UpdateState::refused) << "code that is still called was compiled with shorter notes";
  EXPECT_EQ(report.code, moult::ErrorCode::layout_mismatch);
  EXPECT_THAT(report.reason, HasSubstr("uses_notes"));
  EXPECT_EQ(app::note().text(), "7");
}

void expect_notes_grow() {
  const UpdateReport report = apply(growing);
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_THAT(app::note().text(), HasSubstr("7, a title"));
}

void expect_failed(const std::string& way) {
  app::note();
  app::card();
  const UpdateReport report = apply(way);
  ASSERT_EQ(report.state, UpdateState::failed);
  ASSERT_THAT(report.reason, HasSubstr("trouble before the program is resumed"));
}

TEST(HandedOverCode, AnUpdateThatHandsNothingOverIsInNobodysWay) {
  hand_over("nothing");
  expect_notes_grow();
}

TEST(HandedOverCode, AMethodIsInTheWay) {
  hand_over("method");
  EXPECT_EQ(moult::call_method<std::string()>(app::note(), "describe"), "7");
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, AMethodThatWasRolledBackMayStillBeRunning) {
  moult::roll_back(hand_over("method"));
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, AMethodOfAnUpdateThatFailedIsNot) {
  expect_failed("method_failing");
  expect_notes_grow();
}

TEST(HandedOverCode, WhatMakesAFieldsValuesIsInTheWay) {
  hand_over("field");
  expect_notes_cannot_grow();
  EXPECT_EQ((moult::field<Note, int>("weight").of(app::note())), 1);
}

TEST(HandedOverCode, AFieldOfAnUpdateThatFailedIsNot) {
  expect_failed("field_failing");
  expect_notes_grow();
}

TEST(HandedOverCode, WhatDestroysAMixinIsInTheWay) {
  hand_over("mixin");
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, AMixinOfAnUpdateThatFailedIsNot) {
  expect_failed("mixin_failing");
  expect_notes_grow();
}

/// False when the system grants no userfaultfd.
bool visit_cards(std::uint64_t& id) {
  app::note();
  app::card();
  const UpdateReport report = apply("visitor");
  if (report.code == moult::ErrorCode::unsupported) return false;
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  id = report.id;
  return true;
}

TEST(HandedOverCode, AVisitorIsInTheWayUntilItsVisitIsRolledBack) {
  std::uint64_t visit = 0;
  if (!visit_cards(visit)) GTEST_SKIP() << "the system grants no userfaultfd";
  expect_notes_cannot_grow();
  moult::roll_back(visit);
  expect_notes_grow();
}

TEST(HandedOverCode, AVisitorIsInTheWayUntilAllObjectsAreVisited) {
  std::uint64_t visit = 0;
  if (!visit_cards(visit)) GTEST_SKIP() << "the system grants no userfaultfd";
  expect_notes_cannot_grow();
  app::visit.drain();
  EXPECT_EQ(app::visit.progress().yielded_objects, 1u);
  expect_notes_grow();
}

/// `thread` runs code of an update until it is let go.
void expect_in_the_way_until_it_ends(moult::Thread& thread) {
  app::wait_for_stay();
  expect_notes_cannot_grow();
  app::let_go();
  thread.join();
  expect_notes_grow();
}

TEST(HandedOverCode, AThreadIsInTheWayUntilItEnds) {
  hand_over("thread");
  expect_in_the_way_until_it_ends(*app::thread);
}

TEST(HandedOverCode, AThreadThatIsGivenAStdFunctionIsInTheWayUntilItEnds) {
  hand_over("thread_function");
  expect_in_the_way_until_it_ends(*app::thread);
}

TEST(HandedOverCode, AnotherMainFunctionIsInTheWayUntilTheThreadEnds) {
  moult::Thread worker("worker", app::work);
  hand_over("main_function");
  expect_in_the_way_until_it_ends(worker);
}

TEST(HandedOverCode, AMainFunctionOfAReadyMadeUpdateIsInTheWayUntilTheThreadEnds) {
  moult::Thread worker("worker", app::work);
  hand_over("restart");
  expect_in_the_way_until_it_ends(worker);
}

TEST(HandedOverCode, AMainFunctionOfAnUpdateThatFailedIsNot) {
  moult::Thread worker("worker", app::work);
  expect_failed("main_function_failing");
  expect_notes_grow();
  app::let_go();
}

TEST(HandedOverCode, TheNewVersionOfACallIsInTheWayUntilItReturns) {
  moult::Thread worker("worker", [] { app::count_turns(1'000'000'000); });
  hand_over("successor");
  expect_in_the_way_until_it_ends(worker);
}

TEST(HandedOverCode, TheNewVersionOfACallIsNotInTheWayWhenItsThreadRunsOn) {
  moult::Thread worker("worker", [] {
    app::count_turns(1'000'000'000);
    app::stay_after_call();
  });
  hand_over("successor");
  app::wait_for_stay();
  expect_notes_cannot_grow();
  app::let_go();
  app::wait_for_end_of_call();
  expect_notes_grow();
  app::let_thread_end();
}

TEST(HandedOverCode, WhatAPointerWasRedirectedToIsInTheWay) {
  hand_over("pointer");
  EXPECT_EQ(app::describe(app::note()), "fresh 7");
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, WhatAPointerLedToBeforeItWasRolledBackMayStillBeRunning) {
  moult::roll_back(hand_over("pointer"));
  EXPECT_EQ(app::describe(app::note()), "7");
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, APointerOfAnUpdateThatFailedIsNot) {
  expect_failed("pointer_failing");
  expect_notes_grow();
}

TEST(HandedOverCode, AnUpdateThatUsesStdThreadIsInTheWay) {
  hand_over("std_thread");
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, AnUpdateThatInstallsSignalHandlersIsInTheWay) {
  hand_over("signal_handler");
  expect_notes_cannot_grow();
}

TEST(HandedOverCode, AnUpdateWithFunctionsForTheEndOfTheProcessIsInTheWay) {
  hand_over("at_exit");
  expect_notes_cannot_grow();
}

}  // namespace
