// Threads that make and delete objects all the time are stopped anywhere: the live objects must be known exactly.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/opaque.hpp"
#include "moult/data_access.hpp"
#include "pools/live_objects.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {

using namespace std::chrono_literals;

struct Marked : Updatable<Marked> {
  Marked() : own_address(this) {}
  ~Marked() { own_address = nullptr; }
  const Marked* own_address;
  std::array<std::uint64_t, 3> more{};
};

constexpr std::size_t worker_count = 4;
using Shelf = std::array<std::atomic<Marked*>, 3000>;

/// An object is on a shelf from after its making until before its deletion. A worker holds at most one more.
class Workers {
 public:
  Workers() {
    for (std::size_t i = 0; i < worker_count; ++i)
      threads_.emplace_back([this, i](const std::stop_token& token) { work(token, i); });
  }
  ~Workers() {
    threads_.clear();
    for (Shelf& shelf : *shelves_)
      for (std::atomic<Marked*>& place : shelf) delete place.load();
  }

  std::array<Shelf, worker_count>& shelves() { return *shelves_; }

 private:
  void work(const std::stop_token& token, std::size_t own) {
    std::minstd_rand random(static_cast<unsigned>(own));
    while (!token.stop_requested()) {
      // Runs of making and of deleting, so that slabs are filled, emptied and exchanged.
      bool makes = random() % 2 == 0;
      Shelf& shelf = (*shelves_)[random() % 4 == 0 ? random() % worker_count : own];
      for (std::size_t run = random() % 2000, at = random() % shelf.size(); run > 0; --run, ++at)
        delete shelf[at % shelf.size()].exchange(makes ? new Marked : nullptr);
    }
  }

  std::unique_ptr<std::array<Shelf, worker_count>> shelves_ = std::make_unique<std::array<Shelf, worker_count>>();
  std::vector<std::jthread> threads_;
};

const Pool& pool() { return behind<Pool>(detail::ModulePool<Marked, 0>::get()); }

/// Every object on a shelf is live. At most one live object for each worker is on no shelf.
void expect_exact(Workers& workers, const StoppedWorld& stopped) {
  std::unordered_set<const void*> live;
  for_each_live(pool(), stopped, [&](const std::byte* slot) { EXPECT_TRUE(live.insert(slot).second); });
  EXPECT_EQ(live.size(), count_live(pool()));
  std::size_t shelved = 0;
  for (Shelf& shelf : workers.shelves())
    for (std::atomic<Marked*>& place : shelf) {
      const Marked* object = place.load();
      if (object == nullptr) continue;
      ++shelved;
      EXPECT_TRUE(live.contains(object));
      EXPECT_EQ(object->own_address, object);
    }
  EXPECT_LE(live.size(), shelved + worker_count);
}

TEST(Stop, LiveObjectsAreKnownExactlyWhereverThreadsAreStopped) {
  Workers workers;
  for (int round = 0; round < 300; ++round) {
    std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = 5s, .keep_out = {}});
    expect_exact(workers, *stopped);
  }
}

/// As a transformer may: deletes objects that other threads made, and makes objects that others will delete.
void replace_some(Workers& workers, std::minstd_rand& random) {
  for (int i = 0; i < 2000; ++i) {
    Shelf& shelf = workers.shelves()[random() % worker_count];
    Marked* replacement = random() % 2 == 0 ? new Marked : nullptr;
    delete shelf[random() % shelf.size()].exchange(replacement);
  }
}

TEST(Stop, TheStoppingThreadCanMakeAndDeleteObjects) {
  Workers workers;
  std::minstd_rand random(99);
  for (int round = 0; round < 300; ++round) {
    std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = 5s, .keep_out = {}});
    replace_some(workers, random);
    expect_exact(workers, *stopped);
  }
}

TEST(Stop, NoSlotIsLiveAfterTheThreadsHaveEnded) {
  { Workers workers; }
  std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = 5s, .keep_out = {}});
  EXPECT_EQ(count_live(pool()), 0u);
}

TEST(Stop, ALiveObjectIsFoundByItsAddress) {
  std::vector<std::unique_ptr<Marked>> objects;
  for (int i = 0; i < 1000; ++i) objects.push_back(std::make_unique<Marked>());
  const void* dead = objects.back().get();
  objects.pop_back();
  Marked outside;
  std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = 5s, .keep_out = {}});
  auto is_found = [&](const void* address) { return find_live(pool(), Portion::all, *stopped, address).has_value(); };
  for (const std::unique_ptr<Marked>& object : objects) EXPECT_TRUE(is_found(object.get()));
  EXPECT_FALSE(is_found(dead));
  EXPECT_FALSE(is_found(&objects.front()->more)) << "inside of an object";
  EXPECT_FALSE(is_found(&Region::of(objects.front().get()))) << "where the records are";
  EXPECT_FALSE(is_found(reinterpret_cast<const std::byte*>(&Region::of(dead)) - 1));
  EXPECT_FALSE(is_found(&outside));
  EXPECT_FALSE(is_found(nullptr));
}

}  // namespace subject
}  // namespace moult::internal
