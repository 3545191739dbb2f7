#include "pools/address_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>

namespace moult::internal {
namespace {

TEST(AddressSet, APairIsInsertedOnce) {
  AddressSet set;
  EXPECT_TRUE(set.insert(0x1000, 0));
  EXPECT_FALSE(set.insert(0x1000, 0));
  EXPECT_TRUE(set.insert(0x1000, 1)) << "the same address with another number";
  EXPECT_TRUE(set.insert(0x1010, 0));
  EXPECT_EQ(set.size(), 3u);
}

TEST(AddressSet, ItKeepsAllPairsWhileItGrows) {
  AddressSet set;
  std::set<std::pair<std::uintptr_t, std::uint32_t>> expected;
  std::minstd_rand random(7);
  for (int i = 0; i < 100'000; ++i) {
    const std::uintptr_t address = 0x7f0000000000 + 16 * (random() % 40'000);
    const std::uint32_t number = static_cast<std::uint32_t>(random() % 3);
    ASSERT_EQ(set.insert(address, number), expected.emplace(address, number).second);
  }
  EXPECT_EQ(set.size(), expected.size());
  for (const auto& [address, number] : expected) ASSERT_FALSE(set.insert(address, number));
}

TEST(AddressSet, AddressesThatDifferInTheirUpperBitsOnlyAreApart) {
  AddressSet set;
  for (std::uintptr_t region = 1; region <= 3000; ++region) ASSERT_TRUE(set.insert(region << 30, 0));
  for (std::uintptr_t region = 1; region <= 3000; ++region) ASSERT_FALSE(set.insert(region << 30, 0));
}

}  // namespace
}  // namespace moult::internal
