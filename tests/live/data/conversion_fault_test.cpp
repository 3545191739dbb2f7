// A conversion whose steps fail, one after another: every object stays as it was, and the next conversion applies.
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
#include "moult/data_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

struct Item : Updatable<Item, 64> {
  explicit Item(int wanted) : number(wanted), text(std::to_string(wanted)) {}
  MOULT_UPDATABLE bool holds() const { return text == std::to_string(number); }
  int number;
  std::string text;
};
struct ItemTwo : Updatable<ItemTwo> {
  explicit ItemTwo(const Item& old) : number(old.number), text(old.text), more(old.text + " and more than it was") {}
  int number;
  std::string text;
  std::string more;
};

class ConversionFaults : public testing::Test {
 protected:
  ConversionFaults() {
    set_log_level(LogLevel::none);
    for (int i = 0; i < 200; ++i) items_.push_back(std::make_unique<Item>(i));
  }

  UpdateReport apply() {
    auto update = std::make_unique<EagerConversionUpdate<Item, ItemTwo>>(
        "items", [](const Item& old) { return ItemTwo(old); },
        ConversionOptions<Item, ItemTwo>{.inverse = [](const ItemTwo& now) { return Item(now.number); }});
    update->set_patience({.max_tries = 3,
                          .sleep_time = std::chrono::milliseconds(2),
                          .stop_timeout = std::chrono::seconds(20),
                          .max_postponements = 0});
    UpdateHandle handle = manager_.add_update(std::move(update));
    manager_.apply_next_update();
    return handle.report();
  }

  void expect_old() {
    EXPECT_EQ(DataAccessor<Item>().size(), items_.size());
    EXPECT_TRUE(DataAccessor<ItemTwo>().empty());
    for (const std::unique_ptr<Item>& item : items_) EXPECT_TRUE(item->holds());
  }

  void expect_new() {
    EXPECT_TRUE(DataAccessor<Item>().empty());
    EXPECT_EQ(DataAccessor<ItemTwo>().size(), items_.size());
    for (const ItemTwo& item : DataAccessor<ItemTwo>()) EXPECT_EQ(item.more, item.text + " and more than it was");
  }

  static bool is_ours(std::string_view point) {
    return point.starts_with("convert.eager") || point.starts_with("classes.objects") ||
           point.starts_with("recipes.conversion") || point.starts_with("alterability.objects");
  }

  /// How often a conversion and its rollback hit each point when nothing fails.
  std::map<std::string_view, std::size_t> count_hits();
  /// False when the conversion and its rollback hit the point fewer than `nth` times.
  bool fail_at(std::string_view point, std::size_t nth, FaultKind kind);

  std::vector<std::unique_ptr<Item>> items_;
  Manager manager_{"items"};
};

std::map<std::string_view, std::size_t> ConversionFaults::count_hits() {
  std::map<std::string_view, std::size_t> hits;
  const CountedHits counted;
  const UpdateReport report = apply();
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  roll_back(report.id);
  for (const std::string_view point : fault_points())
    if (is_ours(point)) hits[point] = counted.of(point);
  return hits;
}

bool ConversionFaults::fail_at(std::string_view point, std::size_t nth, FaultKind kind) {
  bool fired = false;
  UpdateReport report;
  bool is_back = false;
  {
    ArmedFault armed(point, nth, kind);
    report = apply();
    if (report.state == UpdateState::applied) {
      try {
        roll_back(report.id);
        is_back = true;
      } catch (const std::exception&) {
        expect_new();
      }
    }
    fired = armed.fired();
  }
  EXPECT_EQ(fired, report.state != UpdateState::applied || !is_back) << report.reason;
  if (report.state == UpdateState::applied && !is_back) roll_back(report.id);
  expect_old();
  return fired;
}

TEST_F(ConversionFaults, AFailureOfAnyStepLeavesTheObjectsAsTheyWere) {
  std::set<std::string_view> never_hit;
  constexpr std::size_t most_hits = 5;
  for (const auto& [point, hits] : count_hits())
    for (const FaultKind kind : {FaultKind::error, FaultKind::out_of_memory}) {
      never_hit.insert(point);
      for (std::size_t nth = 1; nth <= std::min(hits, most_hits); ++nth) {
        SCOPED_TRACE(std::string(point) + " fails at hit " + std::to_string(nth));
        if (!fail_at(point, nth, kind)) break;
        never_hit.erase(point);
      }
    }
  EXPECT_EQ(never_hit, std::set<std::string_view>{"convert.eager.one"}) << "that of a single object";
  UpdateReport report = apply();
  EXPECT_EQ(report.state, UpdateState::applied) << report.reason;
  expect_new();
  roll_back(report.id);
  expect_old();
}

TEST_F(ConversionFaults, ASingleObjectIsLeftAsItWas) {
  ArmedFault armed("convert.eager.one");
  EXPECT_THROW((update_to_class<Item, ItemTwo>(*items_[3], [](const Item& old) { return ItemTwo(old); })), Error);
  EXPECT_TRUE(armed.fired());
  expect_old();
}

}  // namespace subject
}  // namespace moult::internal
