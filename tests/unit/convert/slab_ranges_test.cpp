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

/// The functions that SlabRanges needs of a range.
class FakeRange {
 public:
  explicit FakeRange(std::byte* begin) : begin_(begin) {}
  const FakeRange& region() const { return *this; }
  std::uint32_t index_of(const std::byte* address) const {
    return static_cast<std::uint32_t>(static_cast<std::size_t>(address - begin_) / slab_size);
  }
  std::uint32_t slabs_end() const {
    if (const std::function<void()> act = std::exchange(before_it_is_entered, nullptr)) act();
    return slabs_each;
  }
  bool contains(const std::byte* address) const { return begin_ <= address && address < begin_ + memory_size; }

  static constexpr std::size_t memory_size = slabs_each * slab_size;
  mutable std::function<void()> before_it_is_entered;  ///< once
  std::array<std::atomic<bool>, slabs_each> left{true, true, true};

 private:
  std::byte* begin_;
};

using Ranges = SlabRanges<FakeRange>;

bool is_left(const Ranges::Place& place) { return place.region->left.at(place.slab); }

class SlabRangesTest : public testing::Test {
 protected:
  static constexpr std::size_t range_count = 4;
  SlabRangesTest() {
    for (std::size_t range = 0; range < range_count; ++range)
      ranges_.add(memory_.data() + 2 * range * FakeRange::memory_size);
  }

  std::vector<std::byte> memory_{2 * range_count * FakeRange::memory_size};
  Ranges ranges_;
};

TEST_F(SlabRangesTest, AnAddressBelongsToTheSlabAroundIt) {
  const std::byte* const address = memory_.data() + 2 * FakeRange::memory_size + slab_size + 1;
  ASSERT_TRUE(ranges_.contains(address));
  EXPECT_EQ(ranges_.of(address).region, &*std::next(ranges_.begin()));
  EXPECT_EQ(ranges_.of(address).slab, 1u);
  EXPECT_FALSE(ranges_.contains(memory_.data() + FakeRange::memory_size)) << "between two ranges";
}

TEST_F(SlabRangesTest, RemainingSlabsComeInOrderAndOnce) {
  EXPECT_EQ(ranges_.slab_count(), range_count * slabs_each);
  std::size_t found = 0;
  for (FakeRange& range : ranges_)
    for (std::uint32_t slab = 0; slab < slabs_each; ++slab, ++found) {
      const Ranges::Place place = ranges_.first(is_left);
      ASSERT_EQ(place.region, &range);
      ASSERT_EQ(place.slab, slab);
      range.left.at(slab) = false;
    }
  EXPECT_EQ(ranges_.first(is_left).region, nullptr);
  EXPECT_EQ(found, ranges_.slab_count());
}

TEST_F(SlabRangesTest, ASlowerThreadDoesNotLeadAnotherOutOfItsRange) {
  std::binary_semaphore looks_at_first(0);
  std::binary_semaphore go_on(0);
  std::binary_semaphore has_passed_first(0);
  std::binary_semaphore finish(0);
  const std::jthread slow([&] {
    int looked_at = 0;
    ranges_.first([&](const Ranges::Place&) {
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
  std::next(ranges_.begin())->before_it_is_entered = [&] {  // in the other thread, after the first range
    go_on.release();
    has_passed_first.acquire();
  };
  ranges_.first([](const Ranges::Place& place) {
    EXPECT_LT(place.slab, slabs_each);
    return false;
  });
  finish.release();
}

}  // namespace
}  // namespace moult::internal
