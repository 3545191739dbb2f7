#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "moult/data_access.hpp"
#include "platform/poison.hpp"
#include "pools/live_objects.hpp"

namespace moult::internal {
namespace subject {

/// The statistics of the pool for objects of `size` bytes, of a class in this file.
template <class T>
PoolStatistics statistics(std::size_t size = sizeof(T)) {
  for (const PoolStatistics& pool : pool_statistics())
    if (pool.class_name == "moult::internal::subject::" + std::string(T::name) && pool.held.front().object_size == size)
      return pool;
  PoolStatistics none;
  none.held.emplace_back();
  return none;
}

template <class T>
std::size_t live() {
  return statistics<T>().held.front().live;
}

struct Plain : Updatable<Plain> {
  static constexpr const char* name = "Plain";
  int a = 1;
  int b = 2;
};
static_assert(sizeof(Plain) == 2 * sizeof(int), "Updatable adds no bytes");
static_assert(std::is_trivially_copyable_v<Plain>);

TEST(Pool, AnObjectLivesFromNewToDelete) {
  Plain* object = new Plain;
  EXPECT_EQ(live<Plain>(), 1u);
  EXPECT_EQ(object->a + object->b, 3);
  delete object;
  EXPECT_EQ(live<Plain>(), 0u);
}

TEST(Pool, LiveObjectsNeverShareASlot) {
  std::vector<std::unique_ptr<Plain>> objects;
  std::set<Plain*> addresses;
  for (int i = 0; i < 50'000; ++i) {
    objects.push_back(std::make_unique<Plain>());
    EXPECT_TRUE(addresses.insert(objects.back().get()).second);
    objects.back()->a = i;
    if (i % 3 == 0) {
      std::size_t gone = static_cast<std::size_t>(i) * 7919 % objects.size();
      addresses.erase(objects[gone].get());
      objects[gone] = std::move(objects.back());
      objects.pop_back();
    }
  }
  EXPECT_EQ(live<Plain>(), objects.size());
  std::set<int> values;
  for (const std::unique_ptr<Plain>& object : objects) values.insert(object->a);
  EXPECT_EQ(values.size(), objects.size());
}

struct Spare : Updatable<Spare, 64> {
  static constexpr const char* name = "Spare";
  std::array<char, 20> text{};
};

TEST(Pool, ASlotHasItsReserve) {
  std::unique_ptr<Spare> first = std::make_unique<Spare>();
  std::unique_ptr<Spare> second = std::make_unique<Spare>();
  EXPECT_EQ(statistics<Spare>().held.front().object_size, 20u);
  EXPECT_EQ(statistics<Spare>().slot_size, 96u);  // 84, rounded up as for any type that new aligns
  auto distance = std::abs(reinterpret_cast<char*>(first.get()) - reinterpret_cast<char*>(second.get()));
  EXPECT_GE(distance, 84);
}

TEST(Pool, WithAReserveALaterFieldMayNeedAGreaterAlignment) {
  static_assert(alignof(Spare) < alignof(std::string));
  std::vector<std::unique_ptr<Spare>> spares;
  for (int i = 0; i < 100; ++i) {
    spares.push_back(std::make_unique<Spare>());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(spares.back().get()) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0u);
  }
}

template <std::size_t Alignment>
struct alignas(Alignment) Aligned : Updatable<Aligned<Alignment>> {
  char byte = 0;
};

template <std::size_t Alignment>
void expect_aligned() {
  std::vector<std::unique_ptr<Aligned<Alignment>>> objects;
  for (int i = 0; i < 300; ++i) {
    objects.push_back(std::make_unique<Aligned<Alignment>>());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(objects.back().get()) % Alignment, 0u);
  }
  std::set<std::unique_ptr<Aligned<Alignment>>> distinct;
  for (std::unique_ptr<Aligned<Alignment>>& object : objects) distinct.insert(std::move(object));
  EXPECT_EQ(distinct.size(), 300u);
}

TEST(Pool, ObjectsAreAlignedAsTheirClassWants) {
  expect_aligned<1>();
  expect_aligned<8>();
  expect_aligned<16>();
  expect_aligned<64>();
  expect_aligned<4096>();
  expect_aligned<65536>();
}

struct Thrower : Updatable<Thrower> {
  static constexpr const char* name = "Thrower";
  explicit Thrower(bool throws) {
    if (throws) throw std::runtime_error("no");
  }
  double value = 0;
};

TEST(Pool, AConstructorThatThrowsGivesTheSlotBack) {
  Thrower* good = new Thrower(false);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THROW(new Thrower(true), std::runtime_error);
    EXPECT_THROW(new (std::nothrow) Thrower(true), std::runtime_error);
  }
  EXPECT_EQ(live<Thrower>(), 1u);
  delete good;
}

struct alignas(32) AlignedThrower : Updatable<AlignedThrower> {
  static constexpr const char* name = "AlignedThrower";
  AlignedThrower() { throw std::runtime_error("no"); }
};

TEST(Pool, AThrowingConstructorOfAnOverAlignedClassGivesTheSlotBackToo) {
  EXPECT_THROW(new AlignedThrower, std::runtime_error);
  EXPECT_THROW(new (std::nothrow) AlignedThrower, std::runtime_error);
  EXPECT_EQ(statistics<AlignedThrower>().class_name, "moult::internal::subject::AlignedThrower");
  EXPECT_EQ(live<AlignedThrower>(), 0u);
}

template <class T>
concept can_make_array = requires {
  new T[3];
};
static_assert(can_make_array<int> && !can_make_array<Plain>, "new T[n] of a class with a pool is refused");

TEST(Pool, PlacementNewUsesNoPool) {
  alignas(Plain) std::array<std::byte, sizeof(Plain)> memory;
  Plain* object = new (memory.data()) Plain;
  EXPECT_EQ(static_cast<void*>(object), memory.data());
  object->~Plain();
  EXPECT_EQ(live<Plain>(), 0u);
}

TEST(Pool, NothrowNewAndSizedDeleteUseThePool) {
  Plain* object = new (std::nothrow) Plain;
  EXPECT_EQ(live<Plain>(), 1u);
  object->~Plain();
  Plain::operator delete(object, sizeof(Plain));
  EXPECT_EQ(live<Plain>(), 0u);
}

struct Base : Updatable<Base> {
  static constexpr const char* name = "Base";
  virtual ~Base() = default;
  int id = 0;
};
struct Wide : Base {
  std::array<int, 10> more{};
};
struct alignas(64) Apart : Base {
  int more = 0;
};

TEST(Pool, SubclassesHavePoolsOfTheirOwn) {
  std::vector<std::unique_ptr<Base>> objects;
  for (int i = 0; i < 10; ++i) objects.push_back(std::make_unique<Base>());
  for (int i = 0; i < 20; ++i) objects.push_back(std::make_unique<Wide>());
  for (int i = 0; i < 30; ++i) {
    objects.push_back(std::make_unique<Apart>());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(objects.back().get()) % 64, 0u);
  }
  EXPECT_EQ(statistics<Base>(sizeof(Base)).held.front().live, 10u);
  EXPECT_FALSE(statistics<Base>(sizeof(Base)).is_of_subclass);
  EXPECT_EQ(statistics<Base>(sizeof(Wide)).held.front().live, 20u);
  EXPECT_TRUE(statistics<Base>(sizeof(Wide)).is_of_subclass);
  EXPECT_EQ(statistics<Base>(sizeof(Apart)).held.front().live, 30u);
  objects.clear();
  EXPECT_EQ(statistics<Base>(sizeof(Wide)).held.front().live, 0u);
}

struct Huge : Base {
  std::array<char, 9 << 20> bytes;
};

TEST(Pool, AnObjectThatFitsNoSlabIsRefused) {
  EXPECT_THROW(new Huge, std::bad_alloc);
  EXPECT_EQ(new (std::nothrow) Huge, nullptr);
}

struct Large : Updatable<Large> {
  static constexpr const char* name = "Large";
  std::array<char, 3'000'000> bytes;
};

TEST(Pool, LargeObjectsSpreadOverRegions) {
  std::vector<std::unique_ptr<Large>> objects;
  for (int i = 0; i < 50; ++i) {
    objects.push_back(std::make_unique<Large>());
    objects.back()->bytes.front() = objects.back()->bytes.back() = static_cast<char>(i);
  }
  EXPECT_EQ(live<Large>(), 50u);
  EXPECT_GE(statistics<Large>().reserved, std::size_t{192} << 20);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(objects[static_cast<std::size_t>(i)]->bytes.back(), i);
}

TEST(Pool, SharedObjectsLieInThePool) {
  std::shared_ptr<Plain> object = allocate_shared<Plain>();
  std::weak_ptr<Plain> watcher = object;
  EXPECT_EQ(live<Plain>(), 1u);
  object.reset();
  EXPECT_EQ(live<Plain>(), 0u);
  EXPECT_TRUE(watcher.expired());
}

struct Many : Updatable<Many> {
  static constexpr const char* name = "Many";
  std::array<std::uint64_t, 6> words{};
};

TEST(Pool, AnEmptySlabGoesBackToTheSystem) {
  constexpr std::size_t count = 200'000;
  std::vector<std::unique_ptr<Many>> objects(count);
  for (std::unique_ptr<Many>& object : objects) object = std::make_unique<Many>();
  EXPECT_GE(statistics<Many>().resident, count * sizeof(Many));
  objects.clear();
  EXPECT_LE(statistics<Many>().resident, std::size_t{6} << 20);
  std::unique_ptr<Many> again = std::make_unique<Many>();
  EXPECT_EQ(live<Many>(), 1u);
}

TEST(Pool, AnEmptySlabGoesBackToTheSystemWhenOtherThreadsDelete) {
  constexpr std::size_t count = 200'000;
  std::vector<std::unique_ptr<Many>> objects(count);
  std::thread([&] {
    for (std::unique_ptr<Many>& object : objects) object = std::make_unique<Many>();
  }).join();
  EXPECT_EQ(live<Many>(), count);
  std::vector<std::thread> threads;
  for (std::size_t part = 0; part < 4; ++part)
    threads.emplace_back([&, part] {
      for (std::size_t i = part; i < count; i += 4) objects[i].reset();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(live<Many>(), 0u);
  EXPECT_LE(statistics<Many>().resident, std::size_t{6} << 20);
}

TEST(Pool, SlotsFreedByOtherThreadsAreUsedAgain) {
  std::size_t resident_before = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<std::unique_ptr<Many>> objects(20'000);
    for (std::unique_ptr<Many>& object : objects) object = std::make_unique<Many>();
    std::thread([&] { objects.clear(); }).join();
    if (round == 0) resident_before = statistics<Many>().resident;
  }
  EXPECT_LE(statistics<Many>().resident, resident_before + (std::size_t{4} << 20));
}

TEST(Pool, AThreadThatEndsLeavesItsSlotsToOthers) {
  std::size_t most = 0;
  for (int i = 0; i < 300; ++i) {
    std::thread([] { delete new Many; }).join();
    most = std::max(most, statistics<Many>().resident);
  }
  EXPECT_LE(most, std::size_t{6} << 20);
}

struct Late : Updatable<Late> {
  static constexpr const char* name = "Late";
  double value = 0;
};
struct LateUser {
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): no memory ends the test, as it should
  ~LateUser() { delete new Late; }
  std::unique_ptr<Late> kept;
};
thread_local LateUser late_user;

TEST(Pool, DestructorsOfThreadLocalsMayUseIt) {
  std::thread([] { late_user.kept = std::make_unique<Late>(); }).join();
  EXPECT_EQ(live<Late>(), 0u);
}

TEST(Pool, StandardContainersHoldPointersToItsObjects) {
  std::list<std::unique_ptr<Plain>> list;
  std::map<int, std::shared_ptr<Plain>> map;
  for (int i = 0; i < 100; ++i) {
    list.push_back(std::make_unique<Plain>());
    map[i] = allocate_shared<Plain>();
  }
  EXPECT_EQ(live<Plain>(), 200u);
  std::vector<Plain> values(10);
  EXPECT_EQ(live<Plain>(), 200u) << "elements of containers are not in the pool";
}

TEST(PoolDeathTest, AnObjectDeletedTwiceStopsTheProcess) {
  EXPECT_DEATH(
      {
        Plain* object = new Plain;
        object->~Plain();
        Plain::operator delete(object);
        Plain::operator delete(object);
      },
      "deleted twice");
}

TEST(PoolDeathTest, AnAddressInsideAnObjectIsNotDeleted) {
  EXPECT_DEATH(Plain::operator delete(&(new Plain)->b), "no object of the pool");
}

TEST(PoolDeathTest, TheAddressSanitizerFindsAUseAfterDelete) {
  if (!can_poison()) GTEST_SKIP() << "not built with the address sanitizer";
  EXPECT_DEATH(
      {
        Plain* object = new Plain;
        delete object;
        *static_cast<volatile int*>(&object->a) = 1;
      },
      "use-after-poison");
}

}  // namespace subject
}  // namespace moult::internal
