// Objects are converted at their first use and their class is redefined, in a program built as a user builds it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "card.hpp"
#include "loaded_update.hpp"
#include "moult/manager.hpp"
#include "update.hpp"

namespace {

using moult::Untouched;
using moult::UpdateReport;
using moult::UpdateState;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

UpdateReport apply(std::unique_ptr<moult::Update> change) {
  static moult::ThreadedManager manager("rebind");
  return manager.add_update(std::move(change)).wait(std::chrono::seconds(120));
}

/// Enough for several slabs.
class Cards {
 public:
  Cards() {
    for (std::size_t i = 0; i < elders.size(); ++i) elders[i] = std::make_unique<Card>(i);
  }
  bool hold() const {
    bool all = true;
    for (const std::unique_ptr<Card>& elder : elders) all = all && elder->holds();
    return all;
  }
  std::array<std::unique_ptr<Card>, 5000> elders;
};

TEST(LazyRebinding, OldCodeMakesObjectsOfTheNewClassBeforeTheOthersAreConverted) {
  Cards cards;
  UpdateReport report = apply(update().enrich(Untouched::left));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  auto later = std::make_unique<Card>(std::uint64_t{5});
  EXPECT_TRUE(later->holds());
  later->move(1);
  EXPECT_EQ(later->left, 6u) << "the new class moves the other way";
  EXPECT_FALSE(update().objects().progress().is_done);
  EXPECT_EQ(update().rich_found(), 5001u);
  EXPECT_TRUE(cards.elders[7]->holds());
  EXPECT_EQ(cards.elders[7]->conversions, 1u);
  cards.elders[7].reset();
  EXPECT_TRUE(cards.elders[4000]->holds());
  EXPECT_EQ(update().objects().progress().failed_objects, 0u);

  moult::roll_back(report.id);
  EXPECT_EQ(moult::DataAccessor<Card>().size(), 5000u);
  EXPECT_EQ(update().rich_found(), 0u);
  EXPECT_EQ(later->conversions, 1u);
  for (std::size_t i = 8; i < cards.elders.size(); ++i) ASSERT_EQ(cards.elders[i]->conversions, 2u);
  later->move(1);
  EXPECT_EQ(later->left, 5u);
  EXPECT_EQ(broken, 0);
}

TEST(LazyRebinding, AThrowBeforeTheProgramResumesUndoesObjectsAndClass) {
  Cards cards;
  UpdateReport report = apply(update().enrich_and_fail());
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, testing::HasSubstr("trouble before the program is resumed"));
  EXPECT_TRUE(cards.hold());
  for (const std::unique_ptr<Card>& elder : cards.elders) ASSERT_EQ(elder->conversions, 0u);
  EXPECT_EQ(moult::DataAccessor<Card>().size(), 5000u);
  cards.elders[1]->move(1);
  EXPECT_EQ(cards.elders[1]->left, 0u) << "as the old class does";
  EXPECT_EQ(broken, 0);
}

TEST(LazyRebinding, RoundsSucceedWhileThreadsMakeUseAndDeleteObjects) {
  const unsigned rounds = std::getenv("MOULT_SOAK") != nullptr ? 300 : 10;
  Cards cards;
  std::atomic<long> steps{0};
  const auto work = [&](const std::stop_token& token, unsigned number) {
    std::minstd_rand random(number);
    std::vector<std::unique_ptr<Card>> shelf(3000);
    for (; !token.stop_requested(); ++steps) {
      std::unique_ptr<Card>& place = shelf[random() % shelf.size()];
      if (place == nullptr) {
        place = std::make_unique<Card>(random() % total);
      } else if (random() % 4 == 0) {
        place.reset();
      } else {
        place->move(random() % 100);
        if (!place->holds()) ++broken;
      }
      if (!cards.elders[random() % cards.elders.size()]->holds()) ++broken;
      for (int idle = 0; idle < 300; ++idle) asm volatile("");
      std::this_thread::yield();  // a call other than delete
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned number = 0; number < 3; ++number) threads.emplace_back(work, number);
    const auto await = [&](long more) {
      for (long before = steps; steps < before + more;) std::this_thread::yield();
    };
    for (unsigned round = 1; round <= rounds && broken == 0; ++round) {
      UpdateReport report = apply(update().enrich(round % 2 == 0 ? Untouched::drained : Untouched::left));
      ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
      await(round % 3 == 0 ? 3000 : 10);
      moult::roll_back(report.id, std::chrono::seconds(60));
      EXPECT_EQ(update().objects().progress().failed_objects, 0u);
      await(500);
      for (const std::unique_ptr<Card>& elder : cards.elders) ASSERT_EQ(elder->conversions, 2 * round);
    }
  }
  EXPECT_EQ(broken, 0);
}

}  // namespace
