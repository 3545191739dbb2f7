// Objects are converted and back while threads read, write, make and delete them.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "alterability/object_quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/data_update.hpp"
#include "moult/log.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

constexpr std::uint64_t total = 1'000'000;
std::atomic<int> broken{0};

struct Account : Updatable<Account, 64> {
  MOULT_UPDATABLE explicit Account(std::uint64_t wanted);
  MOULT_UPDATABLE ~Account();
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;
  MOULT_UPDATABLE bool holds() const;
  MOULT_UPDATABLE void move(std::uint64_t much);

  std::uint64_t left;
  std::uint64_t right;
  const Account* self;
  std::uint64_t conversions = 0;

  /// For the inverse transformer.
  struct Back {
    std::uint64_t left;
    std::uint64_t conversions;
  };
  Account(const Back& back, const Account* place);
  Account(Account&& other) noexcept;
};

Account::Account(std::uint64_t wanted) : left(wanted), right(total - wanted), self(this) {}
Account::~Account() {
  if (!holds()) ++broken;
  left = right = 0;
  self = nullptr;
}
bool Account::holds() const { return left + right == total && self == this; }
void Account::move(std::uint64_t much) {
  left -= much;
  right += much;
}
Account::Account(const Back& back, const Account*)
    : left(back.left), right(total - back.left), self(this), conversions(back.conversions) {}
Account::Account(Account&& other) noexcept
    : left(other.left), right(other.right), self(this), conversions(other.conversions) {}

/// With one more field behind the old ones.
struct AccountTwo : Updatable<AccountTwo> {
  explicit AccountTwo(const Account& old)
      : left(old.left), right(old.right), self(this), conversions(old.conversions + 1), sum(left ^ right) {
    if (!old.holds()) ++broken;
  }
  AccountTwo(AccountTwo&& other) noexcept
      : left(other.left), right(other.right), self(this), conversions(other.conversions), sum(other.sum) {}
  std::uint64_t left;
  std::uint64_t right;
  const AccountTwo* self;
  std::uint64_t conversions;
  std::uint64_t sum;
};

Account back_to_one(const AccountTwo& old) {
  if (old.left + old.right != total || old.self != &old) ++broken;
  return {Account::Back{old.left, old.conversions + 1}, nullptr};
}

/// Threads with their own shelves of accounts, and one shelf that stays through all rounds.
class Tellers final {
 public:
  Tellers() {
    for (std::size_t i = 0; i < elders.size(); ++i) elders[i] = std::make_unique<Account>(i);
    for (unsigned number = 0; number < 3; ++number)
      threads_.emplace_back([this, number](const std::stop_token& token) { work(token, number); });
  }

  std::array<std::unique_ptr<Account>, 500> elders;
  std::atomic<long> steps{0};

 private:
  void work(const std::stop_token& token, unsigned number) {
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
      if (!elders[random() % elders.size()]->holds()) ++broken;
      steps.fetch_add(1, std::memory_order_relaxed);
      for (int idle = 0; idle < 300; ++idle) {  // outside of the class most of the time
        asm volatile("");
      }
    }
  }

  std::vector<std::jthread> threads_;
};

class Rounds : public testing::Test {
 protected:
  Rounds() { set_log_level(LogLevel::none); }

  template <class Convert>
  void in_quiescence(Convert&& convert) {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    ASSERT_TRUE(quiescence_.wait(
        {.max_tries = 10'000, .sleep_time = 1ms, .stop_timeout = 20s, .max_postponements = std::nullopt}))
        << transaction.reason();
    convert(transaction);
    transaction.resume();
  }

  ObjectQuiescence quiescence_{{ClassName(typeid(Account)), ClassName(typeid(AccountTwo))}};
};

auto to_two = [](const Account& old) { return AccountTwo(old); };

TEST_F(Rounds, ObjectsAreConvertedAndBackWhileThreadsUseMakeAndDeleteThem) {
  const int rounds = std::getenv("MOULT_SOAK") != nullptr ? 10'000 : 400;
  broken = 0;
  Tellers tellers;
  for (int round = 0; round < rounds && broken == 0; ++round) {
    long before = tellers.steps;
    in_quiescence([&](Transaction& transaction) {
      start_eager_update<Account, AccountTwo>(to_two);
      EXPECT_TRUE(DataAccessor<Account>().empty());
      if (round % 10 != 9) return;
      transaction.undo_all();
      EXPECT_TRUE(DataAccessor<AccountTwo>().empty());
      start_eager_update<Account, AccountTwo>(to_two);
    });
    while (tellers.steps < before + 100) std::this_thread::yield();  // with objects of both classes
    in_quiescence([&](Transaction&) {
      start_eager_update<AccountTwo, Account>(back_to_one);
      EXPECT_TRUE(DataAccessor<AccountTwo>().empty());
    });
    for (const std::unique_ptr<Account>& elder : tellers.elders)
      ASSERT_EQ(elder->conversions, 2u * static_cast<unsigned>(round + 1)) << "each is converted once a round";
  }
  EXPECT_EQ(broken, 0);
}

}  // namespace subject
}  // namespace moult::internal
