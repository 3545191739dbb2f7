#include "pools/slab.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <new>

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

/// A record with its bits; no slots are behind it.
class SlabRecord : public testing::Test {
 protected:
  SlabRecord() { slab = new (memory.get()) Slab(nullptr, cut); }

  struct Free {
    void operator()(std::byte* begin) const { ::operator delete (begin, std::align_val_t{Slab::line}); }
  };
  Geometry cut = Geometry::of(1000);  // 65 slots: two words
  std::unique_ptr<std::byte, Free> memory{
      static_cast<std::byte*>(::operator new (cut.stride, std::align_val_t{Slab::line}))};
  Slab* slab = nullptr;
};

TEST_F(SlabRecord, ANewSlabIsEmptyAndAllItsSlotsAreFree) {
  ASSERT_EQ(cut.slots, 65u);
  EXPECT_EQ(slab->words(), 2u);
  EXPECT_EQ(slab->all_words(), 0b11u);
  EXPECT_TRUE(slab->is_empty());
  EXPECT_EQ(slab->collect(), 65u) << "the bits behind the last slot are not free";
}

TEST_F(SlabRecord, ASlotIsLiveWhileItIsTakenAndNotFreed) {
  slab->taken()[0] |= 0b1100;
  EXPECT_EQ(slab->live(0), 0b1100u);
  EXPECT_FALSE(slab->is_empty());
  slab->freed()[0] |= 0b0100;
  EXPECT_EQ(slab->live(0), 0b1000u);
  EXPECT_EQ(slab->live(1), 0u) << "not the bits behind the last slot";
}

TEST_F(SlabRecord, FreedSlotsAreAvailableAfterCollect) {
  slab->taken()[0] |= 0b111;
  slab->freed()[0] |= 0b101;
  slab->has_freed_slots = true;
  EXPECT_EQ(slab->collect(), 64u);
  EXPECT_EQ(slab->taken()[0], 0b010u);
  EXPECT_EQ(slab->freed()[0], 0u);
  EXPECT_EQ(slab->live(0), 0b010u);
  EXPECT_FALSE(slab->has_freed_slots);
}

TEST_F(SlabRecord, TheOtherBitsDivideTheLiveSlotsIntoPortions) {
  slab->taken()[0] |= 0b0111;
  slab->others()[0] |= 0b1001;
  EXPECT_EQ(slab->live(0, Portion::all), 0b0111u);
  EXPECT_EQ(slab->live(0, Portion::other), 0b0001u);
  EXPECT_EQ(slab->live(0, Portion::usual), 0b0110u);
}

TEST(CountOnes, CountsTheSetBits) {
  EXPECT_EQ(count_ones(0), 0u);
  EXPECT_EQ(count_ones(~std::uint64_t{0}), 64u);
  EXPECT_EQ(count_ones(0x8000000000000001), 2u);
  EXPECT_EQ(count_ones(0x00ff00ff00ff00ff), 32u);
}

}  // namespace
}  // namespace moult::internal
