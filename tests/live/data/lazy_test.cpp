// Objects are converted at their first use, while threads use them.
#include "moult/lazy_update.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/event.hpp"
#include "base/transaction.hpp"
#include "moult/class_additions.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "platform/memory.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

/// May be moved.
struct Point : Updatable<Point, 48> {
  explicit Point(std::uint64_t wanted) : number(wanted), twin(~wanted) {}
  std::uint64_t number;
  std::uint64_t twin;
};
struct PointTwo {
  std::uint64_t number;
  std::uint64_t twin;
  std::uint64_t sum;
  std::uint64_t conversions;
};

PointTwo to_two(const Point& old) noexcept { return {old.number, old.twin, old.number + 7, 1}; }
Point to_one(const PointTwo& now) noexcept { return Point(now.number); }

/// The fields that old and new code read.
const PointTwo& as_two(const Point& point) { return reinterpret_cast<const PointTwo&>(point); }

class Lazily : public testing::Test {
 protected:
  explicit Lazily(std::size_t count = 5000) {
    set_log_level(LogLevel::none);
    for (std::size_t i = 0; i < count; ++i) points.push_back(std::make_unique<Point>(i));
  }

  void expect_two(std::size_t index) {
    const PointTwo& now = as_two(*points[index]);
    ASSERT_EQ(now.number, index);
    ASSERT_EQ(now.twin, ~index);
    ASSERT_EQ(now.sum, index + 7);
    ASSERT_EQ(now.conversions, 1u);
  }
  void expect_all_two() {
    for (std::size_t i = 0; i < points.size(); ++i) expect_two(i);
  }
  void expect_all_one() {
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_EQ(points[i]->number, i);
      ASSERT_EQ(points[i]->twin, ~i);
    }
    EXPECT_EQ(DataAccessor<Point>().size(), points.size());
  }
  /// Converts back in one stop, so that the objects are destroyed as the class that they were made as.
  void TearDown() override { start_eager_update<PointTwo, Point>(to_one); }

  std::vector<std::unique_ptr<Point>> points;
};

TEST_F(Lazily, AnObjectIsConvertedAtItsFirstAccess) {
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  EXPECT_EQ(objects.progress().converted_objects, 0u);
  EXPECT_EQ(objects.progress().objects, points.size());
  EXPECT_FALSE(objects.progress().is_done);
  expect_two(17);
  LazyProgress progress = objects.progress();
  EXPECT_GT(progress.converted_objects, 0u);
  EXPECT_LT(progress.converted_objects, points.size()) << "and its neighbours with it, but not all";
  EXPECT_EQ(progress.converted_chunks, 1u);
  expect_all_two();
}

TEST_F(Lazily, TheFirstAccessCanBeToANewField) {
  const LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  EXPECT_EQ(as_two(*points[17]).sum, 24u);
  EXPECT_FALSE(objects.progress().is_done);
  expect_all_two();
}

TEST_F(Lazily, ItIsDoneWhenTheLastSlabIsConverted) {
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  expect_all_two();
  objects.drain();  // slabs without objects
  EXPECT_TRUE(objects.progress().is_done);
  EXPECT_EQ(objects.progress().converted_objects, points.size());
  EXPECT_EQ(objects.progress().converted_chunks, objects.progress().chunks);
}

TEST_F(Lazily, ADrainConvertsObjectsThatWereNotAccessed) {
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  objects.drain();
  EXPECT_TRUE(objects.progress().is_done);
  expect_all_two();
}

TEST_F(Lazily, ABackgroundThreadConvertsUnusedObjects) {
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two, {}, Untouched::drained);
  while (!objects.progress().is_done) std::this_thread::yield();
  expect_all_two();
}

TEST_F(Lazily, PendingObjectsCountAsTheNewClassFromTheStopOn) {
  std::size_t before = DataAccessor<Point>().size();
  EXPECT_EQ(before, points.size());
  start_lazy_update<Point, PointTwo>(to_two);
  EXPECT_TRUE(DataAccessor<Point>().empty());
  std::unique_ptr<Point> more = std::make_unique<Point>(1);
  EXPECT_EQ(DataAccessor<Point>().size(), 1u) << "made by old code";
  expect_two(0);
  EXPECT_EQ(DataAccessor<Point>().size(), 1u);
}

TEST_F(Lazily, AnObjectCanBeDeletedBeforeItsConversion) {
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % 3 != 0) points[i].reset();
  for (std::size_t i = 0; i < points.size(); i += 3, ++kept) expect_two(i);
  objects.drain();
  EXPECT_TRUE(DataAccessor<Point>().empty());
  start_eager_update<PointTwo, Point>(to_one);
  EXPECT_EQ(DataAccessor<Point>().size(), kept);
}

TEST_F(Lazily, AnAddedFieldStaysWithItsObjectUntilTheObjectIsDeleted) {
  auto alive = std::make_shared<int>(0);
  using Note = std::pair<std::uint64_t, std::shared_ptr<int>>;
  Field<Point, Note> notes = add_field_to_class<Point, Note>("note", {.values = Values::given, .initial = {}});
  for (std::size_t i = 0; i < points.size(); ++i) notes.give(*points[i], i, alive);
  const auto expect_values = [&](std::size_t count) {
    EXPECT_EQ(alive.use_count(), static_cast<long>(count) + 1);
    for (const std::unique_ptr<Point>& point : points) {
      if (point == nullptr) continue;
      ASSERT_EQ(notes.find(*point)->first, point->number);
    }
  };
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  points.back().reset();
  EXPECT_EQ(objects.progress().converted_chunks, 1u) << "a slot that waits is converted before it is free";
  expect_two(1);
  points[1].reset();
  EXPECT_EQ(alive.use_count(), static_cast<long>(points.size()) - 1);
  std::unique_ptr<Point> fresh = std::make_unique<Point>(1);
  EXPECT_EQ(notes.find(*fresh), nullptr) << "in the slot of one that is gone";
  expect_values(points.size() - 2);
  objects.drain();
  points[2].reset();
  expect_values(points.size() - 3);
  start_eager_update<PointTwo, Point>(to_one);
  expect_values(points.size() - 3);
  points.clear();
  expect_values(0);
}

TEST_F(Lazily, ASystemCallThatWritesIntoAnObjectFindsItConverted) {
  LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  std::uint64_t number = 123;
  ASSERT_EQ(::write(ends[1], &number, sizeof number), 8);
  ASSERT_EQ(::read(ends[0], &points[40]->number, 8), 8);
  EXPECT_EQ(points[40]->number, 123u);
  EXPECT_EQ(as_two(*points[40]).sum, 47u) << "made from what was there before";
  points[40]->number = 40;
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(Lazily, AChildOfForkFindsAllObjectsConverted) {
  start_lazy_update<Point, PointTwo>(to_two);
  pid_t child = ::fork();
  if (child == 0) {
    bool is_right = true;
    for (std::size_t i = 0; i < points.size(); ++i) is_right = is_right && as_two(*points[i]).sum == i + 7;
    ::_exit(is_right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_all_two();
}

TEST_F(Lazily, AnotherConversionOfTheClassFinishesTheFirst) {
  LazyObjects first = start_lazy_update<Point, PointTwo>(to_two);
  LazyObjects second = start_lazy_update<PointTwo, Point>(to_one);
  EXPECT_TRUE(first.progress().is_done);
  EXPECT_EQ(first.progress().converted_objects, points.size());
  start_eager_update<Point, PointTwo>(to_two);
  EXPECT_TRUE(second.progress().is_done);
  EXPECT_EQ(second.progress().converted_objects, points.size());
  expect_all_two();
}

TEST_F(Lazily, ObjectsAreConvertedThereAndBackManyTimes) {
  for (int round = 0; round < 200; ++round) {
    LazyObjects there = start_lazy_update<Point, PointTwo>(to_two);
    if (round % 3 == 0) expect_two(static_cast<std::size_t>(round));
    if (round % 2 == 0) there.drain();
    start_lazy_update<PointTwo, Point>(to_one).drain();
    ASSERT_EQ(points[static_cast<std::size_t>(round)]->number, static_cast<std::size_t>(round));
  }
  expect_all_one();
}

TEST_F(Lazily, AnAppliedUpdateGoesOnConvertingAndIsRolledBackByTheInverseTransformer) {
  Manager manager("points");
  auto update = std::make_unique<LazyConversionUpdate<Point, PointTwo>>(
      "points", to_two, ConversionOptions<Point, PointTwo>{.inverse = to_one});
  LazyConversionUpdate<Point, PointTwo>& asked = *update;
  UpdateHandle handle = manager.add_update(std::move(update));
  manager.apply_next_update();
  UpdateReport report = handle.report();
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_FALSE(asked.objects().progress().is_done);
  expect_two(5);
  EXPECT_EQ(asked.converted(), asked.objects().progress().converted_objects);
  roll_back(report.id);
  expect_all_one();
}

TEST_F(Lazily, AnObjectWhoseTransformerThrowsStaysAsItWasAndIsNamed) {
  std::vector<std::string> told;
  std::unique_ptr<EventLog::Subscription> listening = event_log().subscribe([&](const Event& event) {
    if (event.kind == EventKind::warning) told.push_back(event.text);
  });
  LazyObjects objects = start_lazy_update<Point, PointTwo>([](const Point& old) {
    if (old.number == 33) throw std::runtime_error("not that one");
    return to_two(old);
  });
  expect_two(32);
  expect_two(34);
  EXPECT_EQ(points[33]->twin, ~std::uint64_t{33});
  objects.drain();
  EXPECT_EQ(objects.progress().failed_objects, 1u);
  EXPECT_EQ(objects.progress().converted_objects, points.size() - 1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("Point at 0x"), std::string::npos) << told[0];
  EXPECT_NE(told[0].find("not that one"), std::string::npos) << told[0];
  DataAccessor<Point> left;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(&*left.begin(), points[33].get());
}

TEST_F(Lazily, ATransformerCanUseAnotherPendingObject) {
  std::vector<std::unique_ptr<Point>>& all = points;
  LazyObjects objects = start_lazy_update<Point, PointTwo>([&all](const Point& old) {
    PointTwo made = to_two(old);
    if (old.number == 10) made.sum = all.back()->number + 7 - (all.size() - 1) + 10;
    return made;
  });
  expect_two(10);
  EXPECT_EQ(objects.progress().converted_chunks, 2u);
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_all_two();
}

TEST_F(Lazily, ATransformerThatUsesItsOwnSlabDoesNotHang) {
  std::vector<std::unique_ptr<Point>>& all = points;
  LazyObjects objects = start_lazy_update<Point, PointTwo>([&all](const Point& old) {
    PointTwo made = to_two(old);
    if (old.number == 10) made.sum = all[11]->number + 6;
    return made;
  });
  expect_two(9);
  EXPECT_EQ(points[10]->number, 10u);
  objects.drain();
  EXPECT_GT(objects.progress().failed_objects, 0u);
  EXPECT_EQ(objects.progress().failed_objects + objects.progress().converted_objects, points.size());
  start_eager_update<Point, PointTwo>(to_two);
  expect_all_two();
}

TEST_F(Lazily, UndoInTheSameStopLeavesTheObjectsAsTheyWere) {
  {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    transaction.hold(StoppedWorld::stop({.timeout = 5s, .keep_out = {}}));
    start_lazy_update<Point, PointTwo>(to_two);
    expect_two(3);  // by the stopping thread
    EXPECT_TRUE(DataAccessor<Point>().empty());
    transaction.undo_all();
    transaction.resume();
  }
  expect_all_one();
}

TEST_F(Lazily, ObjectsMadeInAnUndoneStopStayBesideTheOthers) {
  std::vector<std::unique_ptr<Point>> more;
  {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    transaction.hold(StoppedWorld::stop({.timeout = 5s, .keep_out = {}}));
    start_lazy_update<Point, PointTwo>(to_two);
    for (std::size_t i = 0; i < 20'000; ++i) more.push_back(std::make_unique<Point>(points.size() + i));
    transaction.undo_all();
    transaction.resume();
  }
  for (std::unique_ptr<Point>& point : more) points.push_back(std::move(point));
  expect_all_one();
}

TEST_F(Lazily, ThePoolsMemoryIsOneMappingInTheEndThoughObjectsWereMadeMeanwhile) {
  for (int round = 0; round < 3; ++round) {
    LazyObjects objects = start_lazy_update<Point, PointTwo>(to_two);
    for (std::size_t i = 0; i < 20'000; ++i) points.push_back(std::make_unique<Point>(points.size()));
    objects.drain();
    start_eager_update<PointTwo, Point>(to_one);
  }
  expect_all_one();
  const std::vector<Mapping> mappings = address_space().mappings();
  const Mapping* const first = find_mapping(mappings, reinterpret_cast<std::uintptr_t>(points.front().get()));
  ASSERT_NE(first, nullptr);
  for (const std::unique_ptr<Point>& point : points)
    ASSERT_TRUE(first->contains(reinterpret_cast<std::uintptr_t>(point.get())));
}

TEST_F(Lazily, ObjectsAccessedInTheStopAreConvertedThere) {
  LazyObjects objects;
  {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    transaction.hold(StoppedWorld::stop({.timeout = 5s, .keep_out = {}}));
    objects = start_lazy_update<Point, PointTwo>(to_two);
    expect_all_two();
    transaction.resume();
  }
  objects.drain();
  EXPECT_TRUE(objects.progress().is_done);
  expect_all_two();
}

}  // namespace subject
}  // namespace moult::internal
