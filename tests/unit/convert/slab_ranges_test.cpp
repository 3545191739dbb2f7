#include "convert/slab_ranges.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace moult::internal {
namespace {

constexpr std::uint32_t slabs_each = 3;
constexpr std::size_t slab_size = 16;

/// As much as SlabRanges asks of a region.
class FakePart {
 public:
  explicit FakePart(std::byte* begin) : begin_(begin) {}
  const FakePart& region() const { return *this; }
  std::uint32_t index_of(const std::byte* address) const {
    return static_cast<std::uint32_t>(static_cast<std::size_t>(address - begin_) / slab_size);
  }
  std::uint32_t slabs_end() const {
    if (const std::function<void()> act = std::exchange(before_it_is_entered, nullptr)) act();
    return slab_count;
  }
  bool contains(const std::byte* address) const { return begin_ <= address && address < begin_ + memory_size; }

  static constexpr std::size_t memory_size = slab_count * slab_size;
  mutable std::function<void()> before_it_is_entered;  ///< once
  std::array<std::atomic<bool>, slab_count> left{true, true, true};

 private:
  std::byte* begin_;
};

using Places = SlabRanges<FakePart>;

bool is_left(const Places::Place& place) { return place.region->left.at(place.slab); }

class SlabRangesTest : public testing::Test {
 protected:
  static constexpr std::size_t parts = 4;
  SlabRangesTest() {
    for (std::size_t part = 0; part < parts; ++part) places_.add(memory_.data() + 2 * part * FakePart::memory_size);
  }

  std::vector<std::byte> memory_{2 * parts * FakePart::memory_size};
  Places places_;
};

TEST_F(SlabRangesTest, AnAddressIsInTheChunkAroundIt) {
  const std::byte* const address = memory_.data() + 2 * FakePart::memory_size + slab_size + 1;
  ASSERT_TRUE(places_.contains(address));
  EXPECT_EQ(places_.of(address).region, &*std::next(places_.begin()));
  EXPECT_EQ(places_.of(address).slab, 1u);
  EXPECT_FALSE(places_.contains(memory_.data() + FakePart::memory_size)) << "between two of them";
}

TEST_F(SlabRangesTest, WhatIsLeftComesInOrderAndOnce) {
  EXPECT_EQ(places_.slab_count(), parts * slab_count);
  std::size_t found = 0;
  for (FakePart& part : places_)
    for (std::uint32_t slab = 0; slab < slab_count; ++slab, ++found) {
      const Places::Place place = places_.first(is_left);
      ASSERT_EQ(place.region, &part);
      ASSERT_EQ(place.slab, slab);
      part.left.at(slab) = false;
    }
  EXPECT_EQ(places_.first(is_left).region, nullptr);
  EXPECT_EQ(found, places_.slab_count());
}

TEST_F(SlabRangesTest, OneThatIsFurtherBehindLeadsNobodyAstray) {
  std::binary_semaphore looks_at_first(0);
  std::binary_semaphore go_on(0);
  std::binary_semaphore has_passed_first(0);
  std::binary_semaphore finish(0);
  const std::jthread slow([&] {
    int looked_at = 0;
    places_.first([&](const Places::Place&) {
      if (++looked_at == 1) {
        looks_at_first.release();
        go_on.acquire();
      } else if (looked_at == 2) {
        has_passed_first.release();
        finish.acquire();
      }
      return false;
    });
  });
  looks_at_first.acquire();
  std::next(places_.begin())->before_it_is_entered = [&] {  // by the other one, when it has passed all of the first
    go_on.release();
    has_passed_first.acquire();
  };
  places_.first([](const Places::Place& place) {
    EXPECT_LT(place.slab, slab_count);
    return false;
  });
  finish.release();
}

}  // namespace
}  // namespace moult::internal
