#include "pools/uninitialised_mark.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace moult::internal {
namespace {

class Mark : public testing::TestWithParam<std::size_t> {
 protected:
  alignas(16) std::array<std::byte, 128> slot{};
};

INSTANTIATE_TEST_SUITE_P(Sizes, Mark, testing::Values(4, 7, 8, 12, 16, 17, 24, 100));

TEST_P(Mark, ASlotBearsItUntilItsFirstBytesAreWritten) {
  EXPECT_FALSE(is_uninitialised(slot.data(), GetParam()));
  mark_uninitialised(slot.data(), GetParam());
  EXPECT_TRUE(is_uninitialised(slot.data(), GetParam()));
  slot.front() ^= std::byte{1};
  EXPECT_FALSE(is_uninitialised(slot.data(), GetParam()));
}

TEST_P(Mark, ItBelongsToTheSlotsAddressWhereverTheBytesLie) {
  mark_uninitialised(slot.data(), GetParam());
  alignas(16) std::array<std::byte, 128> elsewhere = slot;
  EXPECT_TRUE(is_uninitialised(slot.data(), elsewhere.data(), GetParam()));
  EXPECT_FALSE(is_uninitialised(elsewhere.data(), GetParam()));
}

TEST(LongMark, TheLastEightBytesBearItToo) {
  for (const std::size_t size : {16u, 17u, 24u, 100u}) {
    alignas(16) std::array<std::byte, 128> slot{};
    mark_uninitialised(slot.data(), size);
    ASSERT_TRUE(is_uninitialised(slot.data(), size));
    slot[size - 1] ^= std::byte{1};
    EXPECT_FALSE(is_uninitialised(slot.data(), size)) << size;
  }
}

TEST(SmallMark, ObjectsOfLessThanFourBytesNeverCountAsUninitialised) {
  alignas(16) std::array<std::byte, 16> slot{};
  mark_uninitialised(slot.data(), 3);
  EXPECT_FALSE(is_uninitialised(slot.data(), 3));
}

}  // namespace
}  // namespace moult::internal
