#include "convert/staging_area.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace moult::internal {
namespace {

TEST(StagingArea, ACellHasTheSizeRoundedUpToTheAlignment) {
  EXPECT_EQ(StagingArea(20, 8).cell_size(), 24u);
  EXPECT_EQ(StagingArea(64, 64).cell_size(), 64u);
  EXPECT_EQ(StagingArea(0, 16).cell_size(), 16u);
}

TEST(StagingArea, EveryCellIsAligned) {
  StagingArea area(40, 32);
  for (const std::size_t count : {1u, 3u, 5000u, 1u})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(area.take(count)) % 32, 0u);
}

TEST(StagingArea, CellsTakenTogetherAreNeighboursAndNoTwoOverlap) {
  StagingArea area(8, 8);
  area.reserve(10);
  std::byte* const first = area.take(4);
  std::byte* const second = area.take(6);
  EXPECT_EQ(second, first + 4 * area.cell_size()) << "both are from the reserve";
  std::byte* const third = area.take(3);  // beyond the reserve
  std::memset(third, 3, 3 * area.cell_size());
  std::memset(first, 1, 10 * area.cell_size());
  for (std::size_t i = 0; i < 3 * area.cell_size(); ++i) ASSERT_EQ(third[i], std::byte{3});
}

TEST(StagingArea, MoreThanTheAddressSpaceIsRefused) {
  StagingArea area(16, 16);
  EXPECT_THROW(area.reserve(SIZE_MAX / 16), std::bad_alloc);
  EXPECT_NE(area.take(1), nullptr);
}

TEST(StagingArea, ItCanBeUsedAgainAfterClear) {
  StagingArea area(16, 16);
  area.take(100);
  area.clear();
  std::byte* const cells = area.take(2);
  std::memset(cells, 7, 2 * area.cell_size());
  EXPECT_EQ(cells[area.cell_size()], std::byte{7});
}

}  // namespace
}  // namespace moult::internal
