// Objects are converted at their first use and their class is redefined, where old and new objects have destructors.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "apply_update.hpp"
#include "decks.hpp"
#include "loaded_update.hpp"
#include "update.hpp"

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using moult::test::apply;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

template <class Kind>
void old_values_end_once(std::unique_ptr<moult::Update> (*change)()) {
  constexpr int count = 3000;
  std::vector<std::unique_ptr<Kind>> all;
  for (int i = 0; i < count; ++i) all.push_back(std::make_unique<Kind>(i));
  const UpdateReport report = apply(change());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(old_ends, 0) << "none was used yet";

  EXPECT_EQ(all[7]->number(), 1007u) << "of the new class at its first use";
  EXPECT_GT(old_ends, 0);
  EXPECT_LT(old_ends, count);
  EXPECT_EQ(update().new_ends(), 0);
  update().objects().drain();
  EXPECT_EQ(old_ends, count);
  EXPECT_EQ(update().objects().progress().failed_objects, 0u);

  all[9].reset();
  EXPECT_EQ(update().new_ends(), 1) << "the program deletes it as what it is";
  EXPECT_EQ(old_ends, count);

  moult::roll_back(report.id);
  EXPECT_EQ(update().new_ends(), count);
  EXPECT_EQ(all[7]->number(), 7u);
  all.clear();
  EXPECT_EQ(old_ends, 2 * count - 1);
  EXPECT_EQ(update().new_ends(), count);
}

TEST(LazyEnds, TheOldDestructorRunsOnceForEachObjectThatMayBeMoved) {
  old_values_end_once<Hand>(update().change_hands);
}

TEST(LazyEnds, TheOldDestructorRunsOnceForEachOtherObject) { old_values_end_once<Deck>(update().change_decks); }

TEST(LazyEnds, TheOldDestructorRunsOnceForObjectsPendingAtARollback) {
  std::vector<std::unique_ptr<Hand>> all;
  for (int i = 0; i < 3000; ++i) all.push_back(std::make_unique<Hand>(i));
  const UpdateReport report = apply(update().change_hands());
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(all[2999]->number(), 3999u);
  moult::roll_back(report.id);
  EXPECT_EQ(old_ends, 3000);
  EXPECT_EQ(update().new_ends(), 3000);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i]->number(), i);
}

}  // namespace
