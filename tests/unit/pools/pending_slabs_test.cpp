#include "pools/pending_slabs.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace moult::internal {
namespace {

using State = PendingSlabs::State;

TEST(PendingSlabs, NoSlabIsPendingAtFirst) {
  const auto slabs = std::make_unique<PendingSlabs>();
  EXPECT_EQ(slabs->state(0), State::done);
  EXPECT_EQ(slabs->state(PendingSlabs::most_slabs - 1), State::done);
  EXPECT_FALSE(slabs->claim(0));
}

TEST(PendingSlabs, APendingSlabIsClaimedOnce) {
  const auto slabs = std::make_unique<PendingSlabs>();
  slabs->set(3, State::pending);
  EXPECT_TRUE(slabs->claim(3));
  EXPECT_EQ(slabs->state(3), State::busy);
  EXPECT_FALSE(slabs->claim(3));
  slabs->set(3, State::done);
  EXPECT_FALSE(slabs->claim(3));
}

TEST(PendingSlabs, ObjectsCountAsTheNewClassUntilTheirSlabIsDone) {
  const auto slabs = std::make_unique<PendingSlabs>();
  slabs->set(1, State::pending);
  for (const State state : {State::pending, State::busy}) {
    slabs->set(1, state);
    slabs->set_others(PendingSlabs::Others::all);
    EXPECT_EQ(slabs->others_of(1, 0b0101), ~std::uint64_t{0});
    slabs->set_others(PendingSlabs::Others::none);
    EXPECT_EQ(slabs->others_of(1, 0b0101), 0u);
  }
  slabs->set(1, State::done);
  EXPECT_EQ(slabs->others_of(1, 0b0101), 0b0101u);
  EXPECT_EQ(slabs->others_of(2, 0b0110), 0b0110u);
}

}  // namespace
}  // namespace moult::internal
