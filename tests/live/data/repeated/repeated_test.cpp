// A class that grows more than once in a process. Each update is a file of its own, like an update that is sent.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "moult/manager.hpp"
#include "note.hpp"

#ifdef __SANITIZE_ADDRESS__
/// The program deletes notes as their first version, which had no destructor: the memory of a title leaks.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }  // NOLINT(*-reserved-identifier)
#endif

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using testing::HasSubstr;

struct Notes {
  Notes() {
    for (int i = 0; i < 100; ++i) all.push_back(std::make_unique<Note>(i));
  }
  std::vector<std::unique_ptr<Note>> all;
};

/// Loads it and calls its entry, as the listener does.
UpdateReport apply(const std::string& file) {
  static moult::Manager manager("test");
  void* const library = ::dlopen((UPDATES + file + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(::dlerror());
  reinterpret_cast<void (*)()>(::dlsym(library, "moult_update_entry"))();
  manager.apply_next_update();
  return moult::all_updates().back();
}

void require_applied(const std::string& file) {
  const UpdateReport report = apply(file);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
}

constexpr const char* second = "update";
constexpr const char* title = ", a title that is longer than a string holds without memory";

TEST(RepeatedGrowth, AnUpdateThatFailedAndWasUndoneIsAppliedWhenItIsSentAgain) {
  Notes notes;
  const UpdateReport failed = apply("failing");
  ASSERT_EQ(failed.state, UpdateState::failed);
  ASSERT_THAT(failed.reason, HasSubstr("trouble before the program is resumed"));
  EXPECT_EQ(notes.all[7]->text(), "7");
  require_applied(second);
  notes.all[7]->mark();
  EXPECT_EQ(notes.all[7]->text(), "7, marked 1");
  EXPECT_EQ(std::make_unique<Note>(5)->text(), "5, marked 0");
}

TEST(RepeatedGrowth, CodeThatAFailedUpdateMayHaveLeftRunningCounts) {
  ASSERT_EQ(apply("starting").state, UpdateState::failed);
  const UpdateReport report = apply(second);
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, moult::ErrorCode::layout_mismatch);
  EXPECT_THAT(report.reason, HasSubstr("uses_notes()"));
}

TEST(RepeatedGrowth, AnUpdateThatWasRolledBackIsAppliedWhenItIsSentAgain) {
  Notes notes;
  const UpdateReport report = apply(second);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  moult::roll_back(report.id);
  EXPECT_EQ(notes.all[7]->text(), "7");
  require_applied("longer");
  notes.all[7]->mark();
  EXPECT_EQ(notes.all[7]->text(), "7, marked 1");
}

/// Marks each note, which then has this many marks. Objects that were converted back meanwhile have lost theirs.
void mark_all(Notes& notes, int marks) {
  for (int i = 0; i < 100; ++i) {
    Note& note = *notes.all[static_cast<std::size_t>(i)];
    note.mark();
    ASSERT_EQ(note.text(), std::to_string(i) + ", marked " + std::to_string(marks));
  }
  EXPECT_EQ(std::make_unique<Note>(5)->text(), "5, marked 0");
}

/// Two updates that change the class alike are applied; the given one is rolled back first.
void take_back_one_after_the_other(std::size_t first_taken_back) {
  Notes notes;
  const UpdateReport updates[] = {apply(second), apply("keeping")};
  for (const UpdateReport& report : updates) ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  mark_all(notes, 1);
  moult::roll_back(updates[first_taken_back].id);
  mark_all(notes, 2);
  notes.all.push_back(std::make_unique<Note>(100));
  moult::roll_back(updates[1 - first_taken_back].id);
  for (int i = 0; i <= 100; ++i) EXPECT_EQ(notes.all[static_cast<std::size_t>(i)]->text(), std::to_string(i));
  EXPECT_EQ(std::make_unique<Note>(5)->text(), "5");
}

TEST(RepeatedGrowth, WhatTwoUpdatesMadeOfTheObjectsStaysUntilBothAreTakenBackTheLaterFirst) {
  take_back_one_after_the_other(1);
}

TEST(RepeatedGrowth, WhatTwoUpdatesMadeOfTheObjectsStaysUntilBothAreTakenBackTheEarlierFirst) {
  take_back_one_after_the_other(0);
}

TEST(RepeatedGrowth, FromTheFirstVersionToTheSecondToTheThird) {
  Notes notes;
  require_applied(second);
  for (std::size_t i = 0; i < notes.all.size(); i += 3) notes.all[i]->mark();
  notes.all.push_back(std::make_unique<Note>(100));
  require_applied("third");
  notes.all.push_back(std::make_unique<Note>(101));
  for (int i = 0; i <= 101; ++i) {
    Note& note = *notes.all[static_cast<std::size_t>(i)];
    const int times = i < 100 && i % 3 == 0 ? 1 : 0;
    ASSERT_EQ(note.text(), std::to_string(i) + ", marked " + std::to_string(times) + title);
    note.mark();
    ASSERT_EQ(note.text(), std::to_string(i) + ", marked " + std::to_string(times + 1) + title);
  }
}

TEST(RepeatedGrowth, AConversionThatAnUpdatesOwnStepHasMadeIsOver) {
  Notes notes;
  require_applied("by_hand");
  notes.all[7]->mark();
  require_applied("third");
  EXPECT_EQ(notes.all[7]->text(), std::string("7, marked 1") + title);
}

TEST(RepeatedGrowth, AReplacedConstructorOfTheSecondVersionLeadsToTheThird) {
  EXPECT_EQ(std::make_unique<Note>()->text(), "-1");
  require_applied(second);
  EXPECT_EQ(std::make_unique<Note>()->text(), "-2, marked 0");
  require_applied("third");
  EXPECT_EQ(std::make_unique<Note>()->text(), std::string("-3, marked 0") + title);
}

TEST(RepeatedGrowth, TheThirdVersionAfterASecondThatFailedOnceWithAnotherLayout) {
  Notes notes;
  ASSERT_EQ(apply("longer_failing").state, UpdateState::failed);
  require_applied(second);
  require_applied("third");
  EXPECT_EQ(notes.all[7]->text(), std::string("7, marked 0") + title);
  EXPECT_EQ(std::make_unique<Note>(5)->text(), std::string("5, marked 0") + title);
}

TEST(RepeatedGrowth, AFunctionInForceThatHasTheSecondVersionOnItsStackIsFoundAndRefused) {
  Notes notes;
  require_applied("keeping");
  ASSERT_EQ(copied(*notes.all[7]), "second copy of 7, marked 0");
  const UpdateReport report = apply("third");
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, moult::ErrorCode::layout_mismatch);
  EXPECT_THAT(report.reason, HasSubstr("these uses depend on its size:"));
  EXPECT_THAT(report.reason, HasSubstr("copied_v2"));
  EXPECT_THAT(report.reason, testing::Not(HasSubstr("TypedConverter")));
  EXPECT_EQ(copied(*notes.all[7]), "second copy of 7, marked 0");
}

TEST(RepeatedGrowth, TheSecondVersionsOwnSlotsAreAsLargeAsThoseOfTheFirstWhateverItsReserve) {
  Notes notes;
  require_applied("bare");
  require_applied("third_bare");
  notes.all[7]->mark();
  EXPECT_EQ(notes.all[7]->text(), std::string("7, marked 1") + title);
  EXPECT_EQ(std::make_unique<Note>(5)->text(), std::string("5, marked 0") + title);
}

TEST(RepeatedGrowth, ARefusalNamesTheClassThatLacksTheRoomAndTheReserveToGiveIt) {
  Notes notes;
  require_applied(second);
  const UpdateReport report = apply("third_large");
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, moult::ErrorCode::layout_mismatch);
  EXPECT_THAT(report.reason, HasSubstr("give Note a reserve of 116 bytes where it is defined"));
  EXPECT_THAT(report.reason, HasSubstr("moult::Updatable<Note, 116>"));
  EXPECT_EQ(notes.all[7]->text(), "7, marked 0");
}

TEST(RepeatedGrowth, AFunctionOfAnUpdateThatWasRolledBackDoesNotCount) {
  Notes notes;
  const UpdateReport report = apply("keeping");
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  moult::roll_back(report.id);
  require_applied(second);
  require_applied("third");
  EXPECT_EQ(copied(*notes.all[7]), std::string("copy of 7, marked 0") + title);
}

TEST(RepeatedGrowth, WhatIsOfTheSecondVersionIsNotTakenForAnotherOneOfThatName) {
  Notes notes;
  require_applied(second);
  const UpdateReport report = apply("longer");
  EXPECT_EQ(report.state, UpdateState::refused);
  EXPECT_EQ(report.code, moult::ErrorCode::layout_mismatch);
  EXPECT_THAT(report.reason, HasSubstr("Note: it is redefined as Note_v2 already, and objects are laid out as that"));
  EXPECT_THAT(report.reason, HasSubstr("give the new class another name, and change Note_v2 into that"));
  EXPECT_EQ(notes.all[7]->text(), "7, marked 0");
}

}  // namespace
