#include "progress.hpp"

#include <gtest/gtest.h>

namespace moult::internal::cli {
namespace {

using namespace std::chrono_literals;

const ProgressMeter::Time begin{};

TEST(Progress, CountsAsAPersonWouldSay) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(950), "950");
  EXPECT_EQ(short_count(1200), "1.2 k");
  EXPECT_EQ(short_count(43'000), "43 k");
  EXPECT_EQ(short_count(10'000'000), "10 M");
  EXPECT_EQ(short_count(1.5e9), "1.5 G");
}

TEST(Progress, AtFirstNeitherRateNorTimeLeftIsKnown) {
  ProgressMeter meter;
  EXPECT_EQ(meter.line({"Data to DataV2", 2.5e6, 10e6}, begin), "Data to DataV2: 25 %, 2.5 M of 10 M objects");
}

TEST(Progress, RateAndTimeLeftAreOfWhatWasSeen) {
  ProgressMeter meter;
  meter.line({"Data to DataV2", 2e6, 10e6}, begin);
  EXPECT_EQ(meter.line({"Data to DataV2", 4e6, 10e6}, begin + 1s),
            "Data to DataV2: 40 %, 4.0 M of 10 M objects, 2.0 M a second, 3.0 s left");
}

TEST(Progress, WorkThatBeginsAnewIsMeasuredAnew) {
  ProgressMeter meter;
  meter.line({"a", 900, 1000}, begin);
  EXPECT_EQ(meter.line({"a", 100, 1000}, begin + 1s), "a: 10 %, 100 of 1.0 k objects");
}

TEST(Progress, TheBarIsAsLongAsThePartThatIsDoneAndFitsTheTerminal) {
  ProgressMeter meter;
  EXPECT_EQ(meter.bar({"Data to DataV2", 500, 1000}, begin, 80),
            "[##########..........]  50 %  500 of 1.0 k objects  Data to DataV2");
  EXPECT_EQ(meter.bar({"Data to DataV2", 1000, 1000}, begin, 30), "[####################] 100 %  ");
}

TEST(Progress, NoObjectsAreNoPart) {
  ProgressMeter meter;
  EXPECT_EQ(meter.line({"a", 0, 0}, begin), "a: 0 %, 0 of 0 objects");
}

}  // namespace
}  // namespace moult::internal::cli
