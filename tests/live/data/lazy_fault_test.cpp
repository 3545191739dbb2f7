// A lazy conversion whose steps fail, one after another: every object stays as it was, and the next one applies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

struct Leaf : Updatable<Leaf, 64> {
  explicit Leaf(int wanted) : number(wanted), twice(2 * wanted) {}
  int number;
  int twice;
};
struct LeafTwo : Updatable<LeafTwo> {
  explicit LeafTwo(const Leaf& old) : number(old.number), twice(old.twice), thrice(3 * number) {}
  int number;
  int twice;
  int thrice;
};

/// Objects that may not be moved.
struct Stem : Updatable<Stem, 64> {
  explicit Stem(int wanted) : number(wanted), twice(2 * wanted), name(std::to_string(wanted)) {}
  int number;
  int twice;
  std::string name;
};
struct StemTwo : Updatable<StemTwo> {
  explicit StemTwo(const Stem& old) : number(old.number), twice(old.twice), name(old.name), thrice(3 * number) {}
  int number;
  int twice;
  std::string name;
  int thrice;
};

struct Leaves {
  using One = Leaf;
  using Two = LeafTwo;
  static constexpr int count = 20'000;
  static constexpr bool are_in_place = false;
};
struct Stems {
  using One = Stem;
  using Two = StemTwo;
  static constexpr int count = 5'000;
  static constexpr bool are_in_place = true;
};

template <class Kind>
class LazyFaults : public testing::Test {
 protected:
  using One = typename Kind::One;
  using Two = typename Kind::Two;

  LazyFaults() {
    set_log_level(LogLevel::none);
    for (int i = 0; i < Kind::count; ++i) leaves_.push_back(std::make_unique<One>(i));
  }

  UpdateReport apply() {
    auto update = std::make_unique<LazyConversionUpdate<One, Two>>(
        "leaves", [](const One& old) { return Two(old); },
        ConversionOptions<One, Two>{.inverse = [](const Two& now) { return One(now.number); }});
    update->set_patience({.max_tries = 3,
                          .sleep_time = std::chrono::milliseconds(2),
                          .stop_timeout = std::chrono::seconds(20),
                          .max_postponements = 0});
    UpdateHandle handle = manager_.add_update(std::move(update));
    manager_.apply_next_update();
    return handle.report();
  }

  void expect_old() {
    EXPECT_EQ(DataAccessor<One>().size(), leaves_.size());
    EXPECT_TRUE(DataAccessor<Two>().empty());
    for (const std::unique_ptr<One>& leaf : leaves_) ASSERT_EQ(leaf->twice, 2 * leaf->number);
  }

  void expect_new(const One& leaf) { ASSERT_EQ(reinterpret_cast<const Two&>(leaf).thrice, 3 * leaf.number); }

  void expect_new() {
    EXPECT_TRUE(DataAccessor<One>().empty());
    EXPECT_EQ(DataAccessor<Two>().size(), leaves_.size());
    for (const std::unique_ptr<One>& leaf : leaves_) expect_new(*leaf);
  }

  static bool is_ours(std::string_view point) {
    return point.starts_with("convert.lazy") || point.starts_with("watch.fault_handler") ||
           point.starts_with("platform.userfaultfd") || point.starts_with("classes.objects") ||
           point.starts_with("recipes.conversion") || point.starts_with("alterability.objects") ||
           (Kind::are_in_place && point.starts_with("convert.slab_stops"));
  }

  /// How often a conversion and its rollback hit each point when nothing fails.
  std::map<std::string_view, std::size_t> count_hits() {
    std::map<std::string_view, std::size_t> hits;
    const CountedHits counted;
    const UpdateReport report = apply();
    EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
    for (std::size_t i = 0; i < leaves_.size(); i += 1500) expect_new(*leaves_[i]);
    roll_back(report.id);
    for (const std::string_view point : fault_points())
      if (is_ours(point)) hits[point] = counted.of(point);
    return hits;
  }

  /// False when the conversion and its rollback hit the point fewer than `nth` times.
  bool fail_at(std::string_view point, std::size_t nth, FaultKind kind) {
    ArmedFault armed(point, nth, kind);
    UpdateReport report = apply();
    if (report.state != UpdateState::applied) {
      EXPECT_TRUE(armed.fired()) << report.reason;
      expect_old();
      return true;
    }
    for (std::size_t i = 0; i < leaves_.size(); i += 1500) expect_new(*leaves_[i]);
    try {
      roll_back(report.id);
    } catch (const std::exception&) {
      EXPECT_TRUE(armed.fired());
      expect_new();
      roll_back(report.id);
    }
    expect_old();
    return armed.fired();
  }

  std::vector<std::unique_ptr<One>> leaves_;
  Manager manager_{"leaves"};
};

using Kinds = testing::Types<Leaves, Stems>;
TYPED_TEST_SUITE(LazyFaults, Kinds);

TYPED_TEST(LazyFaults, AFailureOfAnyStepLeavesTheObjectsAsTheyWere) {
  std::set<std::string_view> never_hit;
  constexpr std::size_t most_hits = 3;
  for (const auto& [point, hits] : this->count_hits())
    for (const FaultKind kind : {FaultKind::error, FaultKind::out_of_memory}) {
      never_hit.insert(point);
      for (std::size_t nth = 1; nth <= std::min(hits, most_hits); ++nth) {
        SCOPED_TRACE(std::string(point) + " fails at hit " + std::to_string(nth));
        if (!this->fail_at(point, nth, kind)) break;
        never_hit.erase(point);
      }
    }
  never_hit.erase("platform.userfaultfd.open");  // once for the process
  EXPECT_EQ(never_hit, std::set<std::string_view>{});
  UpdateReport report = this->apply();
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  this->expect_new();
  roll_back(report.id);
  this->expect_old();
}

}  // namespace subject
}  // namespace moult::internal
