// Delayed transformation: objects are converted one by one as the program accesses them, and the rest by a thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fault.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/progressive_access.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

struct Coin : Updatable<Coin, 64> {
  explicit Coin(std::uint64_t wanted) : number(wanted), owner("nobody") {}
  std::uint64_t number;
  std::string owner;
};
struct CoinTwo : Updatable<CoinTwo> {
  explicit CoinTwo(const Coin& old) : number(old.number), owner(old.owner), twice(2 * number) {}
  CoinTwo(CoinTwo&&) noexcept = default;
  std::uint64_t number;
  std::string owner;
  std::uint64_t twice;
};

const CoinTwo& as_two(const Coin& coin) { return reinterpret_cast<const CoinTwo&>(coin); }
CoinTwo to_two(const Coin& old) { return CoinTwo(old); }
Coin to_one(const CoinTwo& now) { return Coin(now.number); }

/// On a busy machine a stop may take long.
constexpr Enumeration patient{.subclasses = Subclasses::included, .timeout = 60s};

class DelayedTransformation : public testing::Test {
 protected:
  DelayedTransformation() {
    set_log_level(LogLevel::none);
    for (std::uint64_t i = 0; i < 2000; ++i) coins.push_back(std::make_unique<Coin>(i));
  }
  /// So that the objects are destroyed as the class that they were made as.
  ~DelayedTransformation() override { start_eager_update<CoinTwo, Coin>(to_one); }

  void expect_all_two() {
    for (std::size_t i = 0; i < coins.size(); ++i) {
      ASSERT_EQ(as_two(*coins[i]).twice, 2 * i);
      ASSERT_EQ(as_two(*coins[i]).owner, "nobody");
    }
    EXPECT_TRUE(DataAccessor<Coin>().empty());
    EXPECT_EQ(DataAccessor<CoinTwo>().size(), coins.size());
  }

  std::vector<std::unique_ptr<Coin>> coins;
};

TEST_F(DelayedTransformation, AThreadConvertsAccessedObjectsAndThenTheRest) {
  const DataAccessor<Coin, Access::progressive> accessor;
  std::size_t converted = 0;
  {
    std::jthread converter([&] {
      for (Coin& coin : accessor) converted += update_to_class<Coin, CoinTwo>(coin, to_two) ? 1 : 0;
    });
    for (const std::unique_ptr<Coin>& coin : coins) EXPECT_LT(coin->number, coins.size());
  }
  EXPECT_EQ(converted, coins.size());
  expect_all_two();
}

TEST_F(DelayedTransformation, AVisitorConvertsBeforeTheAccessAndPointersIntoObjectsStayValid) {
  const AccessVisit visit =
      visit_at_first_access<Coin>([](Coin& coin) { update_to_class<Coin, CoinTwo>(coin, to_two); }, patient);
  std::atomic<std::size_t> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 3; ++first)
      threads.emplace_back([&, first] {
        for (std::size_t i = 0; i < coins.size(); ++i) {
          const CoinTwo& now = as_two(*coins[(first * 700 + i) % coins.size()]);
          const std::uint64_t number =
              now.number;  // read before the field that the sanitizer forbids until it is there
          if (now.twice != 2 * number || now.owner != "nobody") ++wrong;
        }
      });
  }
  EXPECT_EQ(wrong, 0u);
  visit.drain(60s);
  expect_all_two();
}

TEST_F(DelayedTransformation, AnObjectWhoseTransformerThrowsStaysAsItWas) {
  const AccessVisit visit = visit_at_first_access<Coin>(
      [](Coin& coin) {
        update_to_class<Coin, CoinTwo>(coin, [](const Coin& old) {
          if (old.number == 33) throw std::runtime_error("not that one");
          return CoinTwo(old);
        });
      },
      patient);
  visit.drain(60s);
  ASSERT_EQ(DataAccessor<Coin>().size(), 1u);
  EXPECT_EQ(&*DataAccessor<Coin>().begin(), coins[33].get());
  EXPECT_EQ(DataAccessor<CoinTwo>().size(), coins.size() - 1);
}

TEST_F(DelayedTransformation, AConversionOfAllObjectsVisitsThemFirst) {
  std::size_t visited = 0;
  const AccessVisit visit = visit_at_first_access<Coin>(
      [&](Coin& coin) {
        ++visited;
        coin.owner = "nobody";
      },
      patient);
  EXPECT_EQ((start_eager_update<Coin, CoinTwo>(to_two)), coins.size());
  EXPECT_EQ(visited, coins.size());
  EXPECT_TRUE(visit.progress().is_done);
  expect_all_two();
}

TEST_F(DelayedTransformation, AnotherAccessToTheClassIsRefusedUntilTheFirstHasEnded) {
  const AccessVisit first = visit_at_first_access<Coin>([](Coin&) {}, patient);
  try {
    const DataAccessor<Coin, Access::progressive> second;
    ADD_FAILURE() << "it is accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("drain or end that one first"));
  }
  EXPECT_EQ(coins[0]->number, 0u);
  first.drain(60s);
  const DataAccessor<Coin, Access::progressive> second;
  EXPECT_FALSE(second.progress().is_done);
}

TEST_F(DelayedTransformation, AFailureOfAnyStepLeavesTheObjectsAsTheyWere) {
  const auto is_ours = [](std::string_view point) {
    return point.starts_with("convert.access") || point.starts_with("watch.fault_handler") ||
           point.starts_with("platform.userfaultfd.watch");
  };
  std::size_t failures = 0;
  for (const FaultKind kind : {FaultKind::error, FaultKind::out_of_memory})
    for (const std::string_view point : fault_points()) {
      if (!is_ours(point)) continue;
      SCOPED_TRACE(point);
      {
        const ArmedFault armed(point, 1, kind);
        EXPECT_ANY_THROW((DataAccessor<Coin, Access::progressive>()));
        EXPECT_TRUE(armed.fired());
      }
      ++failures;
      for (std::size_t i = 0; i < coins.size(); ++i) ASSERT_EQ(coins[i]->number, i);
      std::size_t yielded = 0;
      for ([[maybe_unused]] Coin& coin : DataAccessor<Coin, Access::progressive>()) ++yielded;
      ASSERT_EQ(yielded, coins.size());
    }
  EXPECT_GE(failures, 10u);
}

}  // namespace subject
}  // namespace moult::internal
