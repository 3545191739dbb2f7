// Objects are converted at their first use, and back, while threads read, write, make and delete them.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "alterability/object_quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

constexpr std::uint64_t total = 1'000'000;
std::atomic<int> broken{0};

struct PurseTwo;

/// Owns memory, and may be moved nevertheless.
struct Purse : Updatable<Purse, 64> {
  MOULT_UPDATABLE explicit Purse(std::uint64_t wanted);
  explicit Purse(const PurseTwo& now);
  Purse(Purse&&) noexcept = default;
  MOULT_UPDATABLE ~Purse();
  MOULT_UPDATABLE bool holds() const;
  MOULT_UPDATABLE void move(std::uint64_t much);

  std::uint64_t left;
  std::unique_ptr<std::uint64_t> right;
  std::uint64_t conversions = 0;
};

/// With more fields behind the old ones.
struct PurseTwo : Updatable<PurseTwo> {
  explicit PurseTwo(const Purse& old);
  std::uint64_t left;
  std::unique_ptr<std::uint64_t> right;
  std::uint64_t conversions;
  std::uint64_t first;
  std::uint64_t sum;
};

Purse::Purse(std::uint64_t wanted) : left(wanted), right(std::make_unique<std::uint64_t>(total - wanted)) {}
Purse::Purse(const PurseTwo& now)
    : left(now.left), right(std::make_unique<std::uint64_t>(*now.right)), conversions(now.conversions + 1) {
  if (now.left + *now.right != total || now.sum != (now.first ^ now.conversions)) ++broken;
}
Purse::~Purse() {
  if (right != nullptr && left + *right != total) ++broken;
  left = 0;
}
bool Purse::holds() const { return left + *right == total; }
void Purse::move(std::uint64_t much) {
  left -= much;
  *right += much;
}
PurseTwo::PurseTwo(const Purse& old)
    : left(old.left),
      right(std::make_unique<std::uint64_t>(*old.right)),
      conversions(old.conversions + 1),
      first(left),
      sum(first ^ conversions) {
  if (!old.holds()) ++broken;
}

struct WalletTwo;

/// Points into itself, and may not be moved.
struct Wallet : Updatable<Wallet, 64> {
  MOULT_UPDATABLE explicit Wallet(std::uint64_t wanted);
  explicit Wallet(const WalletTwo& now);
  Wallet(Wallet&& other) noexcept;
  MOULT_UPDATABLE ~Wallet();
  MOULT_UPDATABLE bool holds() const;
  MOULT_UPDATABLE void move(std::uint64_t much);

  std::uint64_t left;
  std::string right;
  const void* self;
  std::array<char, 8> text;
  std::uint64_t conversions = 0;
};

struct WalletTwo : Updatable<WalletTwo> {
  explicit WalletTwo(const Wallet& old);
  WalletTwo(WalletTwo&& other) noexcept;
  std::uint64_t left;
  std::string right;
  const void* self;
  std::array<char, 8> text;
  std::uint64_t conversions;
  std::string more;  // short: old code destroys it by doing nothing
  std::uint64_t sum;
};

Wallet::Wallet(std::uint64_t wanted)
    : left(wanted), right(std::to_string(total - wanted)), self(this), text{"wallet"} {}
Wallet::Wallet(const WalletTwo& now)
    : left(now.left), right(now.right), self(this), text(now.text), conversions(now.conversions + 1) {
  if (now.self != &now || now.more != "more" || now.sum != now.conversions + 7) ++broken;
}
Wallet::Wallet(Wallet&& other) noexcept
    : left(other.left), right(std::move(other.right)), self(this), text(other.text), conversions(other.conversions) {}
Wallet::~Wallet() {
  if (!right.empty() && !holds()) ++broken;  // unless it was moved from
  self = nullptr;
}
bool Wallet::holds() const { return self == this && left + std::stoull(right) == total; }
void Wallet::move(std::uint64_t much) {
  left -= much;
  right = std::to_string(total - left);
}
WalletTwo::WalletTwo(const Wallet& old)
    : left(old.left),
      right(old.right),
      self(this),
      text(old.text),
      conversions(old.conversions + 1),
      more("more"),
      sum(conversions + 7) {
  if (old.self != &old || !old.holds()) ++broken;
}
WalletTwo::WalletTwo(WalletTwo&& other) noexcept
    : left(other.left),
      right(std::move(other.right)),
      self(this),
      text(other.text),
      conversions(other.conversions),
      more(std::move(other.more)),
      sum(other.sum) {}

/// A class, and the class that it is converted to.
struct Purses {
  using One = Purse;
  using Two = PurseTwo;
  static constexpr int rounds = 100;
  static std::vector<ClassName> names() { return {ClassName(typeid(Purse)), ClassName(typeid(PurseTwo))}; }
  static void show(const Purse&) {}
};
struct Wallets {
  using One = Wallet;
  using Two = WalletTwo;
  static constexpr int rounds = 60;
  static std::vector<ClassName> names() { return {ClassName(typeid(Wallet)), ClassName(typeid(WalletTwo))}; }
  /// Several threads access an object first inside stdio, with one stream.
  static void show(const Wallet& wallet) {
    static std::FILE* const nowhere = std::fopen("/dev/null", "w");
    std::fputs(wallet.text.data(), nowhere);
  }
};

}  // namespace subject
}  // namespace moult::internal

template <>
inline constexpr bool moult::is_relocatable<moult::internal::subject::Purse> = true;
template <>
inline constexpr bool moult::is_relocatable<moult::internal::subject::PurseTwo> = true;

namespace moult::internal {
namespace subject {

/// Threads with their own shelves of objects, and one shelf that stays through all rounds.
template <class Kind>
class Spenders final {
  using One = typename Kind::One;

 public:
  Spenders() {
    for (std::size_t i = 0; i < elders.size(); ++i) elders[i] = std::make_unique<One>(i);
    for (unsigned number = 0; number < 3; ++number)
      threads_.emplace_back([this, number](const std::stop_token& token) { work(token, number); });
  }

  std::array<std::unique_ptr<One>, 3000> elders;
  std::atomic<long> steps{0};

 private:
  void work(const std::stop_token& token, unsigned number) {
    std::minstd_rand random(number);
    std::vector<std::unique_ptr<One>> shelf(3000);
    while (!token.stop_requested()) {
      std::unique_ptr<One>& place = shelf[random() % shelf.size()];
      if (place == nullptr) {
        place = std::make_unique<One>(random() % total);
      } else if (random() % 4 == 0) {
        place.reset();
      } else {
        place->move(random() % 100);
        if (!place->holds()) ++broken;
      }
      Kind::show(*elders[random() % elders.size()]);
      if (!elders[random() % elders.size()]->holds()) ++broken;
      steps.fetch_add(1, std::memory_order_relaxed);
      for (int idle = 0; idle < 3000; ++idle) {  // outside of the class most of the time
        asm volatile("");
      }
    }
  }

  std::vector<std::jthread> threads_;
};

template <class Kind>
class LazyRounds : public testing::Test {
 public:
  using One = typename Kind::One;
  using Two = typename Kind::Two;

 protected:
  LazyRounds() { set_log_level(LogLevel::none); }

  template <class Convert>
  LazyObjects in_quiescence(Convert&& convert) {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    EXPECT_TRUE(quiescence.wait(
        {.max_tries = 10'000, .sleep_time = 1ms, .stop_timeout = 20s, .max_postponements = std::nullopt}))
        << transaction.reason();
    LazyObjects objects = convert(transaction);
    transaction.resume();
    return objects;
  }

  static LazyObjects go_there() {
    return start_lazy_update<One, Two>([](const One& old) { return Two(old); });
  }
  static LazyObjects go_back() {
    return start_lazy_update<Two, One>([](const Two& now) { return One(now); });
  }

  ObjectQuiescence quiescence{Kind::names()};
};

using Kinds = testing::Types<Purses, Wallets>;
TYPED_TEST_SUITE(LazyRounds, Kinds);

TYPED_TEST(LazyRounds, ObjectsAreConvertedAndBackWhileThreadsUseMakeAndDeleteThem) {
  const int rounds = std::getenv("MOULT_SOAK") != nullptr ? 10'000 : TypeParam::rounds;
  broken = 0;
  Spenders<TypeParam> spenders;
  for (int round = 0; round < rounds && broken == 0; ++round) {
    long before = spenders.steps;
    LazyObjects there = this->in_quiescence([&](Transaction& transaction) {
      LazyObjects begun = this->go_there();
      if (round % 5 != 4) return begun;
      EXPECT_TRUE(spenders.elders[7]->holds()) << "accessed in the stop";
      transaction.undo_all();
      EXPECT_TRUE(DataAccessor<typename TypeParam::Two>().empty());
      return this->go_there();
    });
    while (spenders.steps < before + 100) std::this_thread::yield();  // with objects of both classes
    if (round % 3 == 0) there.drain();
    LazyObjects back = this->in_quiescence([this](Transaction&) { return this->go_back(); });
    EXPECT_TRUE(there.progress().is_done);
    if (round % 2 == 0) back.drain();
    EXPECT_EQ(there.progress().failed_objects + back.progress().failed_objects, 0u);
    for (const std::unique_ptr<typename TypeParam::One>& elder : spenders.elders)
      ASSERT_EQ(elder->conversions, 2u * static_cast<unsigned>(round + 1)) << "each is converted once a round";
  }
  EXPECT_EQ(broken, 0);
}

}  // namespace subject
}  // namespace moult::internal
