// A conversion at first use that fails at any of its steps leaves every object as it was, and the next one applies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "base/fault.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"

namespace moult {
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

class LazyFaults : public testing::Test {
 protected:
  LazyFaults() {
    set_log_level(LogLevel::none);
    for (int i = 0; i < 20'000; ++i) leaves_.push_back(std::make_unique<Leaf>(i));
  }

  UpdateReport apply() {
    auto update = std::make_unique<LazyConversionUpdate<Leaf, LeafTwo>>(
        "leaves", [](const Leaf& old) { return LeafTwo(old); },
        ConversionOptions<Leaf, LeafTwo>{.inverse = [](const LeafTwo& now) { return Leaf(now.number); }});
    update->set_patience({.max_tries = 3,
                          .sleep_time = std::chrono::milliseconds(2),
                          .stop_timeout = std::chrono::seconds(20),
                          .max_postponements = 0});
    UpdateHandle handle = manager_.add_update(std::move(update));
    manager_.apply_next_update();
    return handle.report();
  }

  void expect_old() {
    EXPECT_EQ(DataAccessor<Leaf>().size(), leaves_.size());
    EXPECT_TRUE(DataAccessor<LeafTwo>().empty());
    for (const std::unique_ptr<Leaf>& leaf : leaves_) ASSERT_EQ(leaf->twice, 2 * leaf->number);
  }

  void expect_new() {
    EXPECT_TRUE(DataAccessor<Leaf>().empty());
    EXPECT_EQ(DataAccessor<LeafTwo>().size(), leaves_.size());
    for (const LeafTwo& leaf : DataAccessor<LeafTwo>()) ASSERT_EQ(leaf.thrice, 3 * leaf.number);
  }

  static bool is_ours(std::string_view point) {
    return point.starts_with("data.lazy") || point.starts_with("data.page_server") ||
           point.starts_with("platform.userfaultfd") || point.starts_with("redefine.objects") ||
           point.starts_with("recipes.conversion") || point.starts_with("alterability.objects");
  }

  /// False when the point was not hit that often on the way there and back.
  bool fail_at(std::string_view point, std::size_t nth, FaultKind kind) {
    ArmedFault armed(point, nth, kind);
    UpdateReport report = apply();
    if (report.state != UpdateState::applied) {
      EXPECT_TRUE(armed.fired()) << report.reason;
      expect_old();
      return true;
    }
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

  std::vector<std::unique_ptr<Leaf>> leaves_;
  Manager manager_{"leaves"};
};

TEST_F(LazyFaults, AtAnyStepThereAndBackLeaveTheObjectsWhatTheyWere) {
  std::set<std::string_view> never_hit;
  for (FaultKind kind : {FaultKind::error, FaultKind::out_of_memory})
    for (std::string_view point : fault_points()) {
      if (!is_ours(point)) continue;
      never_hit.insert(point);
      for (std::size_t nth = 1; nth <= 3; ++nth) {
        SCOPED_TRACE(std::string(point) + " fails at hit " + std::to_string(nth));
        if (!fail_at(point, nth, kind)) break;
        never_hit.erase(point);
      }
    }
  EXPECT_EQ(never_hit, std::set<std::string_view>{"platform.userfaultfd.open"}) << "opened once for the process";
  UpdateReport report = apply();
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  expect_new();
  roll_back(report.id);
  expect_old();
}

}  // namespace subject
}  // namespace moult
