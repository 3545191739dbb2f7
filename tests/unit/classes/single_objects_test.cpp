// One object of its class, and those that stand between operator new and their constructor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>

#include "alterability/object_quiescence.hpp"
#include "classes/object_change.hpp"
#include "moult/error.hpp"
#include "points.hpp"

namespace moult::internal {
namespace subject {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(UpdateToClass, OneObjectIsConvertedAndOthersAreNot) {
  auto objects = several<Point>(3);
  EXPECT_TRUE((update_to_class<Point, Point3>(*objects[1], to_point3)));
  EXPECT_EQ(as<Point3>(objects[1]).y, 2);
  EXPECT_EQ(DataAccessor<Point>().size(), 2u);
  EXPECT_FALSE((update_to_class<Point, Point3>(*objects[1], to_point3))) << "it was converted";
  Point here(1);
  EXPECT_FALSE((update_to_class<Point, Point3>(here, to_point3))) << "it is in no pool";
  EXPECT_EQ(here.x, 1);
  delete reinterpret_cast<Point3*>(objects[1].release());
}

/// Leaves out of its words what is on the stack.
[[gnu::noinline]] std::uintptr_t hidden_slot() {
  return ~reinterpret_cast<std::uintptr_t>(Point::operator new(sizeof(Point)));
}

TEST(EagerUpdate, ASlotThatAThreadMayBeAboutToConstructInIsWaitedFor) {
  std::binary_semaphore goes_on{0};
  std::atomic<bool> is_there{false};
  auto argument = [&] {
    is_there = true;
    goes_on.acquire();
    return 4;
  };
  auto point = std::make_unique<Point>(1);
  std::unique_ptr<Point> made;
  // NOLINTNEXTLINE(modernize-make-unique): the memory is there before the argument is
  std::jthread maker([&] { made.reset(new Point(argument())); });
  while (!is_there) std::this_thread::yield();
  ObjectQuiescence quiescence({ClassName("moult::internal::subject::Point")});
  const Patience patience;
  {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    EXPECT_FALSE(quiescence.check(patience));
    EXPECT_THAT(transaction.reason(),
                HasSubstr("may be about to construct the object of moult::internal::subject::Point at 0x"));
    try {
      start_eager_update<Point, Point3>(to_point3);
      ADD_FAILURE() << "was let pass";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::still_active) << error.what();
    }
    EXPECT_EQ(point->x, 1);
    goes_on.release();
    ASSERT_TRUE(quiescence.wait(patience)) << transaction.reason();
    EXPECT_EQ((start_eager_update<Point, Point3>(to_point3)), 2u);
    transaction.resume();
  }
  maker.join();
  EXPECT_EQ(as<Point3>(made).y, 8);
  delete reinterpret_cast<Point3*>(made.release());
  delete reinterpret_cast<Point3*>(point.release());
}

TEST(EagerUpdate, AnObjectThatNothingWasWrittenToIsRefusedByItsAddress) {
  auto point = std::make_unique<Point>(1);
  const std::uintptr_t hidden = hidden_slot();
  try {
    start_eager_update<Point, Point3>(to_point3);
    ADD_FAILURE() << "was let pass";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("ConversionOptions::unwritten"));
  }
  EXPECT_EQ(DataAccessor<Point>().size(), 2u);
  EXPECT_EQ(point->x, 1) << "nothing is changed";
  Point::operator delete(reinterpret_cast<void*>(~hidden));
}

TEST(EagerUpdate, AnObjectThatNothingWasWrittenToIsConvertedWhereThatIsAskedFor) {
  const std::uintptr_t hidden = hidden_slot();
  auto to_known = [](const Point&) { return Point3(1, 2); };
  EXPECT_EQ((start_eager_update<Point, Point3>(to_known, {.unwritten = Unwritten::converted})), 1u);
  EXPECT_EQ(reinterpret_cast<Point3*>(~hidden)->name, "a name that is too long for the string itself");
  delete reinterpret_cast<Point3*>(~hidden);
}

}  // namespace subject
}  // namespace moult::internal
