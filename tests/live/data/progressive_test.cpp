// Objects are yielded, or visited, when threads of the program first access them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/event.hpp"
#include "base/transaction.hpp"
#include "moult/log.hpp"
#include "moult/progressive_access.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Star : Updatable<Star, 48> {
  explicit Star(std::uint64_t wanted) : number(wanted), self(this) {}
  virtual ~Star() = default;
  std::uint64_t number;
  const Star* self;
  std::atomic<std::uint32_t> visits{0};
};
struct Comet final : Star {
  using Star::Star;
  std::array<std::uint64_t, 4> tail{};
};

/// On a busy machine a stop may take long.
constexpr Enumeration patient{.subclasses = Subclasses::included, .timeout = 60s};

using Accessor = DataAccessor<Star, Access::progressive>;

/// An object that never comes fails the test instead of hanging it.
Clock::time_point in_time() { return Clock::now() + 60s; }
/// For objects that must be queued already.
Clock::time_point at_once() { return Clock::now(); }

class Progressively : public testing::Test {
 protected:
  explicit Progressively(std::size_t count = 5000) {
    set_log_level(LogLevel::none);
    for (std::size_t i = 0; i < count; ++i) stars.push_back(std::make_unique<Star>(i));
  }

  /// Reads an object, as the program does.
  static std::uint64_t read(const Star& star) { return *static_cast<const volatile std::uint64_t*>(&star.number); }

  std::set<Star*> all() const {
    std::set<Star*> set;
    for (const std::unique_ptr<Star>& star : stars) set.insert(star.get());
    return set;
  }
  void expect_each_visited_once() {
    for (const std::unique_ptr<Star>& star : stars) ASSERT_EQ(star->visits, 1u) << star->number;
  }

  std::vector<std::unique_ptr<Star>> stars;
};

TEST_F(Progressively, NoObjectIsYieldedBeforeItsAccess) {
  const Accessor accessor;
  EXPECT_EQ(accessor.next(at_once()), nullptr);
  EXPECT_EQ(accessor.progress().objects, stars.size());
  EXPECT_EQ(accessor.progress().yielded_objects, 0u);
  EXPECT_FALSE(accessor.progress().is_done);
}

TEST_F(Progressively, AnAccessedObjectIsYieldedWithItsSlab) {
  const Accessor accessor;
  EXPECT_EQ(read(*stars[17]), 17u);
  std::set<Star*> yielded;
  for (Star* star = accessor.next(in_time()); star != nullptr; star = accessor.next(at_once()))
    EXPECT_TRUE(yielded.insert(star).second);
  EXPECT_TRUE(yielded.contains(stars[17].get()));
  EXPECT_LT(yielded.size(), stars.size());
  EXPECT_EQ(accessor.progress().accessed_chunks, 1u);
}

TEST_F(Progressively, TheRangeYieldsEachObjectOnceAndEnds) {
  const Accessor accessor;
  read(*stars[4000]);
  std::set<Star*> yielded;
  for (Star& star : accessor) EXPECT_TRUE(yielded.insert(&star).second);
  EXPECT_EQ(yielded, all());
  EXPECT_TRUE(accessor.progress().is_done);
  EXPECT_EQ(accessor.progress().yielded_objects, stars.size());
  EXPECT_EQ(accessor.next(in_time()), nullptr) << "it does not wait for what cannot come";
}

TEST_F(Progressively, ObjectsKeepTheirValues) {
  const Accessor accessor;
  for (std::size_t i = 0; i < stars.size(); ++i) {
    ASSERT_EQ(read(*stars[i]), i);
    ASSERT_EQ(stars[i]->self, stars[i].get());
  }
}

TEST_F(Progressively, AnotherThreadTakesObjectsWhileTheProgramAccessesThem) {
  const Accessor accessor;
  std::multiset<Star*> taken;
  std::multiset<Star*> rest;
  {
    std::jthread taker([&] {
      while (Star* star = accessor.next(in_time())) taken.insert(star);
    });
    for (const std::unique_ptr<Star>& star : stars) read(*star);
    for (Star& star : accessor) rest.insert(&star);
  }
  EXPECT_TRUE(accessor.progress().is_done);
  taken.merge(rest);
  const std::set<Star*> expected = all();
  EXPECT_EQ(taken, std::multiset<Star*>(expected.begin(), expected.end()));
}

TEST_F(Progressively, SeveralThreadsTakeEachObjectOnce) {
  const Accessor accessor;
  std::array<std::vector<Star*>, 4> taken;
  {
    std::vector<std::jthread> threads;
    for (std::vector<Star*>& own : taken)
      threads.emplace_back([&] {
        for (Star& star : accessor) own.push_back(&star);
      });
    for (std::size_t i = stars.size(); i-- > 0;) read(*stars[i]);
  }
  std::multiset<Star*> yielded;
  for (const std::vector<Star*>& own : taken) yielded.insert(own.begin(), own.end());
  const std::set<Star*> expected = all();
  EXPECT_EQ(yielded, std::multiset<Star*>(expected.begin(), expected.end()));
}

TEST_F(Progressively, SubclassesAreYieldedUnlessTheyAreLeftOut) {
  std::vector<std::unique_ptr<Star>> comets;
  for (std::uint64_t i = 0; i < 100; ++i) comets.push_back(std::make_unique<Comet>(i));
  const auto count = [](const Accessor& accessor) {
    std::size_t yielded = 0;
    for ([[maybe_unused]] Star& star : accessor) ++yielded;
    return yielded;
  };
  EXPECT_EQ(count(Accessor()), stars.size() + comets.size());
  const Accessor without({.subclasses = Subclasses::excluded});
  EXPECT_EQ(read(*comets.front()), 0u);
  EXPECT_EQ(without.next(at_once()), nullptr);
  EXPECT_EQ(count(without), stars.size());
}

TEST_F(Progressively, NeitherDeletedObjectsNorNewOnesAreYielded) {
  const Accessor accessor;
  for (std::size_t i = 0; i < stars.size(); ++i)
    if (i % 3 != 0) stars[i].reset();
  std::erase(stars, nullptr);
  const std::set<Star*> left = all();
  std::set<Star*> yielded;
  for (Star& star : accessor) EXPECT_TRUE(yielded.insert(&star).second);
  EXPECT_EQ(yielded, left);
  std::vector<std::unique_ptr<Star>> more;
  for (std::uint64_t i = 0; i < 1000; ++i) more.push_back(std::make_unique<Star>(i));
  EXPECT_EQ(accessor.next(at_once()), nullptr);
}

TEST_F(Progressively, ASystemCallThatReadsAnObjectGoesOn) {
  const Accessor accessor;
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], &stars[40]->number, 8), 8);
  std::uint64_t number = 0;
  ASSERT_EQ(::read(ends[0], &number, 8), 8);
  EXPECT_EQ(number, 40u);
  EXPECT_NE(accessor.next(in_time()), nullptr);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(Progressively, ADestroyedAccessorLeavesNothingBehind) {
  { const Accessor accessor; }
  for (std::size_t i = 0; i < stars.size(); ++i) ASSERT_EQ(read(*stars[i]), i);
  const Accessor another;
  EXPECT_FALSE(another.progress().is_done);
}

TEST_F(Progressively, InAStoppedProgramItUsesThatStopAndTheRestIsTaken) {
  Transaction transaction;
  Transaction::Scope scope(transaction);
  transaction.hold(StoppedWorld::stop({.timeout = 60s, .keep_out = {}}));
  std::set<Star*> yielded;
  {
    const Accessor accessor;
    EXPECT_EQ(read(*stars[3]), 3u);
    for (Star& star : accessor) EXPECT_TRUE(yielded.insert(&star).second);
  }
  transaction.resume();
  EXPECT_EQ(yielded, all());
}

TEST_F(Progressively, AChildOfForkFindsAllObjects) {
  const Accessor accessor;
  const pid_t child = ::fork();
  if (child == 0) {
    bool is_right = true;
    for (std::size_t i = 0; i < stars.size(); ++i) is_right = is_right && read(*stars[i]) == i;
    ::_exit(is_right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::size_t yielded = 0;
  while (accessor.next(at_once()) != nullptr) ++yielded;
  EXPECT_EQ(yielded, stars.size());
}

/// Otherwise both wait until the stop times out.
TEST_F(Progressively, AForkGoesOnWhileAStopWaitsForIt) {
  std::atomic<bool> is_over{false};
  std::atomic<bool> has_failed{false};
  const std::jthread stopper([&] {
    while (!is_over && !has_failed) try {
        StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      } catch (const Error&) {
        has_failed = true;
      }
  });
  for (int round = 0; round < 30 && !has_failed; ++round) {
    const Accessor accessor(patient);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  }
  is_over = true;
  EXPECT_FALSE(has_failed);
}

TEST_F(Progressively, AVisitorRunsBeforeTheAccess) {
  const AccessVisit visit = visit_at_first_access<Star>(
      [](Star& star) {
        star.number += 1000;
        ++star.visits;
      },
      patient);
  EXPECT_EQ(visit.progress().yielded_objects, 0u);
  for (std::size_t i = 0; i < stars.size(); ++i) ASSERT_EQ(read(*stars[i]), i + 1000);
  visit.drain(60s);
  EXPECT_TRUE(visit.progress().is_done);
  expect_each_visited_once();
}

TEST_F(Progressively, EachObjectIsVisitedBeforeTheFirstOfManyThreadsAccessesIt) {
  std::atomic<std::size_t> seen_too_early{0};
  const AccessVisit visit = visit_at_first_access<Star>([](Star& star) { ++star.visits; }, patient);
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 4; ++first)
      threads.emplace_back([&, first] {
        for (std::size_t i = 0; i < stars.size(); ++i)
          if (stars[(first * 977 + i) % stars.size()]->visits != 1) ++seen_too_early;
      });
    threads.emplace_back([&] { visit.drain(60s); });
  }
  EXPECT_EQ(seen_too_early, 0u);
  EXPECT_TRUE(visit.progress().is_done);
  EXPECT_EQ(visit.progress().yielded_objects, stars.size());
}

TEST_F(Progressively, ADrainVisitsObjectsThatWereNotAccessed) {
  const AccessVisit visit = visit_at_first_access<Star>([](Star& star) { ++star.visits; }, patient);
  visit.drain(60s);
  EXPECT_TRUE(visit.progress().is_done);
  EXPECT_EQ(visit.progress().accessed_chunks, visit.progress().chunks);
  expect_each_visited_once();
}

TEST_F(Progressively, AVisitorCanUseOtherObjects) {
  const AccessVisit visit = visit_at_first_access<Star>(
      [this](Star& star) {
        ++star.visits;
        if (star.number == 0) read(*stars.back());
      },
      patient);
  read(*stars[0]);
  visit.drain(60s);
  expect_each_visited_once();
}

TEST_F(Progressively, AThrowNamesTheObjectAndTheRestGoesOn) {
  std::mutex mutex;
  std::vector<std::string> told;
  const std::unique_ptr<EventLog::Subscription> listening = event_log().subscribe([&](const Event& event) {
    const std::scoped_lock lock(mutex);
    if (event.kind == EventKind::warning) told.push_back(event.text);
  });
  const AccessVisit visit = visit_at_first_access<Star>(
      [](Star& star) {
        ++star.visits;
        if (star.number == 33) throw std::runtime_error("not that one");
      },
      patient);
  visit.drain(60s);
  expect_each_visited_once();
  const std::scoped_lock lock(mutex);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("Star at 0x"), std::string::npos) << told[0];
  EXPECT_NE(told[0].find("not that one"), std::string::npos) << told[0];
}

TEST_F(Progressively, OfManyThrowsTheFirstAreNamedAndTheRestAreCounted) {
  std::mutex mutex;
  std::vector<std::string> told;
  const std::unique_ptr<EventLog::Subscription> listening = event_log().subscribe([&](const Event& event) {
    const std::scoped_lock lock(mutex);
    if (event.kind == EventKind::warning) told.push_back(event.text);
  });
  const AccessVisit visit =
      visit_at_first_access<Star>([](Star&) { throw std::runtime_error("none of them"); }, patient);
  visit.drain(60s);
  EXPECT_EQ(visit.progress().failed_visits, stars.size());
  const std::scoped_lock lock(mutex);
  // The first eight, and then number 16, 32, ... 4096 of the 5000.
  ASSERT_EQ(told.size(), 8u + 9u);
  EXPECT_EQ(told[7].find("so far"), std::string::npos) << told[7];
  EXPECT_NE(told.back().find("(4096 visits threw so far"), std::string::npos) << told.back();
}

TEST_F(Progressively, AnEndedVisitLeavesTheRestUnvisited) {
  const AccessVisit visit = visit_at_first_access<Star>([](Star& star) { ++star.visits; }, patient);
  EXPECT_EQ(stars[5]->visits, 1u);
  visit.end();
  EXPECT_TRUE(visit.progress().is_done);
  EXPECT_EQ(stars.back()->visits, 0u);
}

TEST_F(Progressively, AThreadInASystemCallDoesNotWaitForTheVisit) {
  const AccessVisit visit = visit_at_first_access<Star>([](Star& star) { ++star.visits; }, patient);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], &stars[40]->number, 8), 8);
  ::close(ends[0]);
  ::close(ends[1]);
  visit.drain(60s);
  expect_each_visited_once();
}

TEST_F(Progressively, TheStoppingThreadDoesNotWaitAndTheVisitFollows) {
  const AccessVisit visit = visit_at_first_access<Star>([](Star& star) { ++star.visits; }, patient);
  {
    const auto stopped = StoppedWorld::stop({.timeout = 60s, .keep_out = {}});
    EXPECT_EQ(read(*stars[7]), 7u);
    EXPECT_EQ(stars[7]->visits, 0u);
  }
  visit.drain(60s);
  expect_each_visited_once();
}

TEST_F(Progressively, ThreadsMakeUseAndDeleteObjectsDuringVisits) {
  for (int round = 0; round < 20; ++round) {
    std::multiset<const Star*> visited;
    const AccessVisit visit = visit_at_first_access<Star>(
        [&](Star& star) {
          ++star.visits;
          visited.insert(&star);  // no other thread runs
        },
        patient);
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 3; ++first)
      threads.emplace_back([&, first] {
        for (std::size_t i = first; i < stars.size(); i += 3) {
          if (i % 2 == 0) continue;
          stars[i].reset();
          stars[i] = std::make_unique<Star>(i);
        }
      });
    threads.clear();
    visit.drain(60s);
    ASSERT_EQ(visited.size(), stars.size());
    for (std::size_t i = 0; i < stars.size(); ++i) {
      ASSERT_EQ(stars[i]->number, i);
      ASSERT_EQ(stars[i]->visits, i % 2 == 0 ? 1u : 0u) << "one that lived, and one that was made since";
      stars[i]->visits = 0;
    }
  }
}

TEST_F(Progressively, TheVisitorGoesWhenItsVisitEnds) {
  const auto held = std::make_shared<int>(0);
  const AccessVisit visit = visit_at_first_access<Star>([held](Star& star) { ++star.visits; }, patient);
  Transaction transaction;
  const Transaction::Scope scope(transaction);
  transaction.hold(StoppedWorld::stop({.timeout = 60s, .keep_out = {}}));  // no other thread sees to it
  visit.end();
  EXPECT_EQ(held.use_count(), 1);
  transaction.resume();
}

TEST_F(Progressively, ARollbackOfTheUpdateEndsTheVisit) {
  AccessVisit visit;
  {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    transaction.hold(StoppedWorld::stop({.timeout = 60s, .keep_out = {}}));
    visit = visit_at_first_access<Star>([](Star& star) { ++star.visits; }, patient);
    transaction.undo_all();
    transaction.resume();
  }
  for (const std::unique_ptr<Star>& star : stars) ASSERT_EQ(star->visits, 0u);
  EXPECT_TRUE(visit.progress().is_done);
}

}  // namespace subject
}  // namespace moult::internal
