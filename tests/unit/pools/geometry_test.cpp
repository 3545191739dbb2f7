#include "pools/geometry.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

TEST(Geometry, ASlotIsFoundByMultiplicationAtEveryOffset) {
  for (std::size_t slot_size : {16, 24, 40, 48, 56, 72, 200, 328, 1000, 4096, 4104, 60'000}) {
    Geometry cut = Geometry::of(slot_size);
    for (std::size_t offset = 0; offset < cut.slab_size(); ++offset)
      ASSERT_EQ(cut.slot_at(offset), offset / slot_size) << slot_size << " at " << offset;
  }
}

TEST(Geometry, TheSlotsOfLargeObjectsAreFoundAroundTheirEnds) {
  for (std::size_t slot_size : {100'008ul, 500'000ul, 1'000'008ul, 5'000'000ul, largest_slot}) {
    Geometry cut = Geometry::of(slot_size);
    ASSERT_GE(cut.slots, 1u);
    for (std::uint32_t slot = 0; slot < cut.slots; ++slot) {
      ASSERT_EQ(cut.slot_at(slot * slot_size), slot);
      ASSERT_EQ(cut.slot_at((slot + 1) * slot_size - 1), slot);
    }
  }
}

TEST(Geometry, SlotsOfUpToHalfAMegabyteFillMostOfTheirSlab) {
  for (std::size_t slot_size = 16; slot_size <= largest_slot / 16; slot_size += 1 + slot_size / 3) {
    Geometry cut = Geometry::of(slot_size);
    EXPECT_GE(cut.slots * slot_size * 16, cut.slab_size() * 15) << slot_size;
  }
}

}  // namespace
}  // namespace moult::internal
