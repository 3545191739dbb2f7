// Objects are converted and their class is redefined in one step, in a program built as a user builds it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "account.hpp"
#include "loaded_update.hpp"
#include "moult/manager.hpp"
#include "update.hpp"

namespace {

using moult::UpdateReport;
using moult::UpdateState;
using testing::HasSubstr;

const LoadedUpdate& update() {
  static const LoadedUpdate& loaded = load_update<LoadedUpdate>(UPDATE);
  return loaded;
}

UpdateReport apply(std::unique_ptr<moult::Update> change) {
  static moult::ThreadedManager manager("rebind");
  return manager.add_update(std::move(change)).wait(std::chrono::seconds(120));
}

/// An account that stays through a fixture's tests, and accounts that threads make and delete.
class Accounts {
 public:
  Accounts() {
    for (std::size_t i = 0; i < elders.size(); ++i) elders[i] = std::make_unique<Account>(i);
  }
  bool hold() const {
    bool all = true;
    for (const std::unique_ptr<Account>& elder : elders) all = all && elder->holds();
    return all;
  }
  std::array<std::unique_ptr<Account>, 200> elders;
};

TEST(Rebinding, OldCodeMakesObjectsOfTheNewClassAfterwardsAndARollbackConvertsThemToo) {
  Accounts accounts;
  ASSERT_EQ(alive, 200);
  UpdateReport report = apply(update().enrich(true));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(alive, 0) << "the old values were destroyed as what they were";
  EXPECT_EQ(update().rich_alive(), 200);
  EXPECT_TRUE(accounts.hold());
  auto later = std::make_unique<Account>(std::uint64_t{5});
  EXPECT_EQ(update().rich_alive(), 201);
  EXPECT_EQ(update().rich_found(), 201u);
  EXPECT_TRUE(later->holds());
  later->move(1);
  EXPECT_EQ(later->left, 6u) << "the new class moves the other way";
  accounts.elders[7].reset();
  EXPECT_EQ(update().rich_alive(), 200);

  moult::roll_back(report.id);
  EXPECT_EQ(alive, 200);
  EXPECT_EQ(update().rich_alive(), 0);
  EXPECT_EQ(moult::DataAccessor<Account>().size(), 200u);
  EXPECT_EQ(later->conversions, 1u);
  EXPECT_EQ(accounts.elders[8]->conversions, 2u);
  later->move(1);
  EXPECT_EQ(later->left, 5u);
  EXPECT_EQ(broken, 0);
}

TEST(Rebinding, AThrowBeforeTheProgramResumesUndoesObjectsAndClass) {
  Accounts accounts;
  UpdateReport report = apply(update().enrich_and_fail());
  EXPECT_EQ(report.state, UpdateState::failed);
  EXPECT_THAT(report.reason, HasSubstr("trouble before the program is resumed"));
  EXPECT_EQ(alive, 200);
  EXPECT_EQ(update().rich_alive(), 0);
  EXPECT_TRUE(accounts.hold());
  EXPECT_EQ(moult::DataAccessor<Account>().size(), 200u);
  report = apply(update().enrich(true));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_TRUE(accounts.hold());
  moult::roll_back(report.id);
  EXPECT_EQ(broken, 0);
}

/// Threads that make, use and delete accounts, at intervals.
class Tellers final {
 public:
  explicit Tellers(const Accounts& accounts) {
    for (unsigned number = 0; number < 3; ++number)
      threads_.emplace_back([&, number](const std::stop_token& token) { work(token, number, accounts); });
  }
  void await(long more) const {
    for (long before = steps_; steps_ < before + more;) std::this_thread::yield();
  }

 private:
  void work(const std::stop_token& token, unsigned number, const Accounts& accounts) {
    std::minstd_rand random(number);
    std::vector<std::unique_ptr<Account>> shelf(300);
    while (!token.stop_requested()) {
      std::unique_ptr<Account>& place = shelf[random() % shelf.size()];
      if (place == nullptr) {
        place = std::make_unique<Account>(random() % total);
      } else if (random() % 4 == 0) {
        place.reset();
      } else {
        place->move(random() % 100);
        if (!place->holds()) ++broken;
      }
      if (!accounts.elders[random() % accounts.elders.size()]->holds()) ++broken;
      ++steps_;
      for (int idle = 0; idle < 300; ++idle) asm volatile("");
    }
  }

  std::atomic<long> steps_{0};
  std::vector<std::jthread> threads_;
};

TEST(Rebinding, RoundsSucceedWhileThreadsMakeUseAndDeleteObjects) {
  const unsigned rounds = std::getenv("MOULT_SOAK") != nullptr ? 300 : 10;
  Accounts accounts;
  {
    Tellers tellers(accounts);
    for (unsigned round = 1; round <= rounds && broken == 0; ++round) {
      int made_before = update().rich_made();
      UpdateReport report = apply(update().enrich(true));
      ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
      tellers.await(2000);
      EXPECT_GT(update().rich_made(), made_before);
      moult::roll_back(report.id, std::chrono::seconds(60));
      tellers.await(500);
      for (const std::unique_ptr<Account>& elder : accounts.elders) ASSERT_EQ(elder->conversions, 2 * round);
      EXPECT_EQ(update().rich_alive(), 0);
    }
  }
  EXPECT_EQ(alive, 200);
  EXPECT_EQ(broken, 0);
}

/// Runs last: the class stays as the update made it.
TEST(Rebinding, AnUpdateWithoutAnInverseTransformerIsNotRolledBack) {
  Accounts accounts;
  UpdateReport report = apply(update().enrich(false));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  try {
    moult::roll_back(report.id);
    ADD_FAILURE() << "was let pass";
  } catch (const moult::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no inverse transformer was given"));
  }
  EXPECT_EQ(update().rich_alive(), 200);
  EXPECT_TRUE(accounts.hold());
}

}  // namespace
