// The program closes the descriptor by which moult watches memory.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "moult/lazy_update.hpp"
#include "moult/log.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

namespace fs = std::filesystem;

struct Point : Updatable<Point, 48> {
  explicit Point(std::uint64_t wanted) : number(wanted) {}
  std::uint64_t number;
};
struct PointTwo {
  std::uint64_t number;
  std::uint64_t sum;
};

PointTwo to_two(const Point& old) noexcept { return {old.number, old.number + 7}; }
Point to_one(const PointTwo& now) noexcept { return Point(now.number); }

const PointTwo& as_two(const Point& point) { return reinterpret_cast<const PointTwo&>(point); }

class ClosedDescriptor : public testing::Test {
 protected:
  ClosedDescriptor() {
    set_log_level(LogLevel::none);
    for (std::uint64_t i = 0; i < 500; ++i) points.push_back(std::make_unique<Point>(i));
  }

  std::vector<std::unique_ptr<Point>> points;
};

/// The number of descriptors that were closed.
int close_userfaultfds() {
  std::vector<int> found;
  for (const fs::directory_entry& each : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (fs::read_symlink(each.path(), gone) == "anon_inode:[userfaultfd]")
      found.push_back(std::stoi(each.path().filename()));
  }
  for (const int number : found) ::close(number);
  return static_cast<int>(found.size());
}

TEST_F(ClosedDescriptor, IsMadeAgainForTheNextConversion) {
  for (int round = 0; round < 3; ++round) {
    start_lazy_update<Point, PointTwo>(to_two).drain();
    for (std::uint64_t i = 0; i < points.size(); ++i) ASSERT_EQ(as_two(*points[i]).sum, i + 7);
    start_eager_update<PointTwo, Point>(to_one);
    EXPECT_EQ(close_userfaultfds(), 1);
  }
}

void access_objects_with_the_descriptor_closed(const std::vector<std::unique_ptr<Point>>& points) {
  start_lazy_update<Point, PointTwo>(to_two);
  close_userfaultfds();
  volatile std::uint64_t sum = 0;
  for (const std::unique_ptr<Point>& each : points) sum = sum + as_two(*each).sum;
}

TEST_F(ClosedDescriptor, EndsTheProgramBeforeItSeesAnObjectThatIsNotConverted) {
  EXPECT_DEATH(access_objects_with_the_descriptor_closed(points),
               "the program has closed the descriptor by which moult watches memory");
}

}  // namespace subject
}  // namespace moult::internal
