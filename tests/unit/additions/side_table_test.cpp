#include "pools/side_table.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "moult/class_additions.hpp"
#include "moult/error.hpp"
#include "pools/pool.hpp"

namespace moult::internal {
namespace {

struct Item : Updatable<Item> {
  explicit Item(int wanted = 0) : number(wanted) {}
  virtual ~Item() = default;
  int number;
};
struct LargeItem : Item {
  std::array<char, 100> more{};
};

std::atomic<int> alive{0};
struct Counted {
  explicit Counted(Item& of) : item(&of), number(of.number) { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }
  const Item* item;
  int number;
};

/// A table known to this test only.
template <class Class, class T>
Field<Class, T> make_field(const FieldOptions<Class, T>& options = {}) {
  auto* table = new SideTable("the field", detail::make_value(options));
  table->publish();
  return Field<Class, T>(*table);
}
Field<Item, Counted>& counted() {
  static Field<Item, Counted> made = make_field<Item, Counted>();
  return made;
}

TEST(SideTable, AnObjectHasNoValueBeforeItsFirstUseAndTheSameOneAfter) {
  Item* first = new Item(1);
  Item* second = new Item(2);
  EXPECT_EQ(counted().find(*first), nullptr);
  Counted& value = counted().of(*first);
  EXPECT_EQ(value.item, first);
  EXPECT_EQ(&counted().of(*first), &value);
  EXPECT_EQ(counted().find(*first), &value);
  EXPECT_EQ(counted().find(*second), nullptr);
  EXPECT_EQ(counted().of(*second).number, 2);
  delete first;
  delete second;
  EXPECT_EQ(alive, 0);
}

TEST(SideTable, AValueDiesWithItsObjectWhoeverDeletesIt) {
  auto item = std::make_unique<Item>(1);
  auto large = std::make_unique<LargeItem>();
  counted().of(*item);
  counted().of(*large);
  EXPECT_EQ(alive, 2);
  std::thread([&] {
    item.reset();
    large.reset();
  }).join();
  EXPECT_EQ(alive, 0);
}

TEST(SideTable, TheNextObjectAtTheAddressHasAValueOfItsOwn) {
  auto item = std::make_unique<Item>(1);
  const Item* place = item.get();
  counted().of(*item);
  item = nullptr;
  item = std::make_unique<Item>(2);
  ASSERT_EQ(item.get(), place) << "the slot was not used again";
  EXPECT_EQ(counted().find(*item), nullptr);
  EXPECT_EQ(counted().of(*item).number, 2);
}

TEST(SideTable, ValuesOfSeveralFieldsDieTogether) {
  Field<Item, std::shared_ptr<int>> other = make_field<Item, std::shared_ptr<int>>();
  auto item = std::make_unique<Item>(1);
  auto shared = std::make_shared<int>(5);
  other.of(*item) = shared;
  counted().of(*item);
  EXPECT_EQ(shared.use_count(), 2);
  item = nullptr;
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(alive, 0);
}

TEST(SideTable, AValueIsDestroyedWhenItsObjectsSlotIsFree) {
  struct Maker {
    ~Maker() { *made = std::make_unique<Item>(7); }
    std::unique_ptr<Item>* made = nullptr;
  };
  Field<Item, Maker> maker = make_field<Item, Maker>();
  auto item = std::make_unique<Item>(1);
  const Item* place = item.get();
  std::unique_ptr<Item> made;
  maker.of(*item).made = &made;
  item = nullptr;
  EXPECT_EQ(made.get(), place);
}

TEST(SideTable, AValueThatCannotBeMadeLeavesNoneBehind) {
  bool fails = true;
  Field<Item, int> field = make_field<Item, int>({.initial = [&](Item& item) {
    if (fails) throw std::runtime_error("not now");
    return item.number + 1;
  }});
  auto item = std::make_unique<Item>(1);
  EXPECT_THROW(field.of(*item), std::runtime_error);
  EXPECT_EQ(field.find(*item), nullptr);
  fails = false;
  EXPECT_EQ(field.of(*item), 2);
}

TEST(SideTable, AGivenValueIsTheOnlyOne) {
  Field<Item, std::string> name = make_field<Item, std::string>({.values = Values::given});
  auto item = std::make_unique<Item>(1);
  EXPECT_FALSE(name.is_of_every_object());
  EXPECT_THROW(name.of(*item), Error);
  EXPECT_EQ(name.give(*item, 3u, 'x'), "xxx");
  EXPECT_EQ(name.of(*item), "xxx");
  EXPECT_THROW(name.give(*item, "again"), Error);
  EXPECT_EQ(name.of(*item), "xxx");
}

TEST(SideTable, AThousandValuesAreFoundByTheirObjects) {
  std::vector<std::unique_ptr<Item>> items;
  for (int i = 0; i < 1000; ++i) {
    items.push_back(std::make_unique<Item>(i));
    counted().of(*items.back());
  }
  for (int i = 0; i < 1000; i += 3) items[static_cast<std::size_t>(i)] = nullptr;
  for (const std::unique_ptr<Item>& item : items) {
    if (item == nullptr) continue;
    EXPECT_EQ(counted().find(*item)->number, item->number);
  }
  EXPECT_EQ(alive, 666);
  items.clear();
  EXPECT_EQ(alive, 0);
}

TEST(SideTable, PoolsOfOtherClassesPayNothing) {
  struct Quiet : Updatable<Quiet> {
    int number = 0;
  };
  auto quiet = std::make_unique<Quiet>();
  auto item = std::make_unique<Item>();
  counted().of(*item);
  EXPECT_EQ(Region::of(quiet.get()).pool().care(), 0);
  EXPECT_EQ(Region::of(item.get()).pool().care(), Pool::drop_values);
}

TEST(SideTable, ThreadsThatComeFirstAtOnceGetOneValue) {
  for (int round = 0; round < 200; ++round) {
    auto item = std::make_unique<Item>(round);
    std::array<Counted*, 4> seen{};
    std::atomic<int> waiting{0};
    {
      std::vector<std::jthread> threads;
      for (Counted*& each : seen)
        threads.emplace_back([&] {
          ++waiting;
          while (waiting < 4) std::this_thread::yield();
          each = &counted().of(*item);
        });
    }
    for (Counted* each : seen) EXPECT_EQ(each, seen[0]);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

/// Shelves of objects with values, which threads make, use, pass on and delete.
TEST(SideTable, ThreadsMakeUsePassOnAndDeleteObjectsWithValues) {
  constexpr int shelf_count = 4;
  std::array<std::atomic<Item*>, 64> exchange{};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned number = 0; number < shelf_count; ++number)
      threads.emplace_back([&, number] {
        std::minstd_rand random(number);
        for (int step = 0; step < 20'000; ++step) {
          auto* mine = new Item(static_cast<int>(random() % 1000));
          if (random() % 4 != 0 && counted().of(*mine).number != mine->number) ++wrong;
          Item* got = exchange[random() % exchange.size()].exchange(mine);
          if (got == nullptr) continue;
          const Counted* value = counted().find(*got);
          if (value != nullptr && (value->item != got || value->number != got->number)) ++wrong;
          delete got;
        }
      });
  }
  for (std::atomic<Item*>& each : exchange) delete each.load();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(alive, 0) << "values outlived their objects";
}

}  // namespace
}  // namespace moult::internal
