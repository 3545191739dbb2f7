// Objects found by walking over the heap of a program that is built as a user's is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "apply_update.hpp"
#include "loaded_update.hpp"
#include "program.hpp"
#include "update.hpp"

namespace {

using moult::HeapRemark;
using moult::UpdateReport;
using moult::UpdateState;
using moult::test::apply;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

class HeapWalk : public testing::Test {
 protected:
  ~HeapWalk() override { app::clear(); }
};

std::vector<std::string> kinds(const std::vector<HeapRemark>& remarks) {
  std::vector<std::string> kinds;
  for (const HeapRemark& remark : remarks) kinds.push_back(remark.what);
  return kinds;
}

TEST_F(HeapWalk, EveryObjectThatVariablesLeadToIsVisitedOnce) {
  std::multiset<int> expected = app::fill();
  Found found = update().find({});
  EXPECT_EQ(found.numbers, expected) << found.summary.text();
  EXPECT_EQ(found.summary.visited, found.numbers.size() + found.sides.size());
}

TEST_F(HeapWalk, TheWayToAnObjectIsWrittenAsInTheProgram) {
  app::fill();
  std::map<int, std::string> paths = update().find({}).paths;
  std::set<std::string> all;
  for (const auto& [number, path] : paths) all.insert(path);
  for (const char* path :
       {"app::the_depot.shelves[2].second[0]", "app::the_depot.queues[0].second[0]", "app::the_depot.perhaps[2]",
        "app::Depot::shared[0]", "app::(anonymous namespace)::graph->data", "app::array_of_pointers[0]",
        "app::something.second", "app::shapes[0]->inside", "app::shapes[1]->inside", "app::of_a_function()::own[0]",
        "app::(anonymous namespace)::hidden_vector[0]"})
    EXPECT_THAT(all, Contains(path));
}

TEST_F(HeapWalk, WhatHasAVtableIsWalkedOverAsWhatItIs) {
  app::fill();
  Found found = update().find({});
  EXPECT_EQ(found.sides.size(), 2u);
  EXPECT_EQ(found.sides.count(0), 1u) << "the square";
}

TEST_F(HeapWalk, WhatCannotBeFollowedIsTold) {
  app::fill();
  Found found = update().find({});
  std::vector<std::string> told = kinds(found.summary.not_followed);
  for (const char* kind : {"void pointers", "std::function", "std::variant", "unions", "thread-local variables",
                           "types that are only declared"})
    EXPECT_THAT(told, Contains(kind)) << found.summary.text();
}

TEST_F(HeapWalk, ObjectsInReadOnlyMemoryAreLeftToThoseWhoOnlyLook) {
  Found changed = update().change_settings();
  EXPECT_THAT(changed.numbers, IsEmpty());
  EXPECT_THAT(kinds(changed.summary.skipped), Contains("objects in read-only memory"));
  EXPECT_THAT(update().look_at_settings().numbers, testing::ElementsAre(7));
}

TEST_F(HeapWalk, ALongChainNeedsNoDeepStack) {
  app::make_chain(1'000'000);
  EXPECT_EQ(update().measure(), 1'000'000u);
}

/// The three addresses that a vector is.
struct Addresses {
  void* begin;
  void* end;
  void* limit;
};

TEST_F(HeapWalk, AVectorWhosePartsDisagreeIsLeftOutAndTold) {
  app::fill();
  auto& addresses = reinterpret_cast<Addresses&>(app::plain_vector());
  const Addresses sound = addresses;
  const int number = app::plain_vector().back().number;
  for (const Addresses& half :
       {Addresses{sound.end, sound.begin, sound.limit},
        Addresses{sound.begin, static_cast<char*>(sound.end) + 1, sound.limit},
        Addresses{reinterpret_cast<void*>(64), sound.end, sound.limit}, Addresses{nullptr, sound.end, sound.limit}}) {
    addresses = half;
    Found found = update().find({});
    addresses = sound;
    EXPECT_EQ(found.numbers.count(number), 0u);
    EXPECT_THAT(kinds(found.summary.skipped), Contains("containers whose parts disagree"));
  }
}

TEST_F(HeapWalk, AListThatIsLongerThanItSaysIsLeftOutAndTold) {
  app::fill();
  auto& size = reinterpret_cast<std::size_t*>(&app::plain_list())[2];
  --size;
  Found found = update().find({});
  ++size;
  EXPECT_EQ(found.numbers.count(app::plain_list().front().number), 0u);
  EXPECT_THAT(kinds(found.summary.skipped), Contains("containers whose parts disagree"));
}

TEST_F(HeapWalk, PointersToWhatIsNoObjectAreNotFollowed) {
  alignas(16) static char zeros[256] = {};
  const auto told = [](std::uintptr_t address) {
    app::keep_dangling(reinterpret_cast<app::Shape*>(address));
    return kinds(update().find({}).summary.skipped);
  };
  EXPECT_THAT(told(reinterpret_cast<std::uintptr_t>(zeros)), Contains("pointers to what has no vtable"));
  EXPECT_THAT(told(64), Contains("pointers to memory that cannot be read"));
  EXPECT_THAT(told(65), Contains("pointers that are not aligned"));
}

TEST_F(HeapWalk, AWalkerThatKnowsAClassOtherwiseIsRefused) {
  struct OtherUpdate {
    void (*walk)();
  };
  try {
    load_update<OtherUpdate>(OTHER_UPDATE).walk();
    ADD_FAILURE() << "was not refused";
  } catch (const moult::Error& error) {
    EXPECT_EQ(error.code(), moult::ErrorCode::layout_mismatch);
    EXPECT_THAT(error.what(), HasSubstr("app::Setting: is laid out one way in "));
    EXPECT_THAT(error.what(), HasSubstr("removed: int value"));
    EXPECT_THAT(error.what(), HasSubstr("build the walker with the program's headers and flags"));
  }
}

TEST_F(HeapWalk, RawPointersAreIgnoredOnRequest) {
  app::make_chain(3);
  app::fill();
  Found found = update().find({.raw_pointers = moult::RawPointers::ignored});
  EXPECT_EQ(found.numbers.count(0), 0u);
  EXPECT_GT(found.numbers.size(), 900u);
}

TEST_F(HeapWalk, AThrowTakesBackWhatWasVisited) {
  std::multiset<int> numbers = app::fill();
  UpdateReport report = apply(update().count_and_throw_at(app::plain_vector()[2].number));
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("trouble with one object"));
  for (const app::Data& data : app::plain_vector()) EXPECT_EQ(data.visits, 0);
}

TEST_F(HeapWalk, AnUpdateVisitsAndCannotBeRolledBackOnceTheProgramHasGoneOn) {
  app::fill();
  UpdateReport report = apply(update().count());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  for (const app::Data& data : app::plain_vector()) EXPECT_EQ(data.visits, 1);
  EXPECT_THAT(report.changes, Contains(HasSubstr("objects visited: app::Data")));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("not followed: ")));
  EXPECT_THROW(moult::roll_back(report.id), moult::Error);
}

TEST_F(HeapWalk, AnUpdateThatOnlyLooksRecordsNoChange) {
  app::fill();
  UpdateReport report = apply(update().look());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_THAT(report.changes, IsEmpty());
}

}  // namespace
