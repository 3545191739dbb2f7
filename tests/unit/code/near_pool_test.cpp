#include "code/near_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t page = 4096;
constexpr std::size_t gigabyte = std::size_t{1} << 30;

void code_here() {}
/// Not a constant to the compiler, which would put addresses 2 GB away from it into relocations.
void (*volatile code_pointer)() = &code_here;
const CodeAddress here{reinterpret_cast<std::uintptr_t>(code_pointer)};
const CodeAddress far_away{0x10};

Mapping mapping(std::uintptr_t begin, std::uintptr_t end, std::string path = "") {
  return {begin, end, Protection::read, false, std::move(path)};
}

/// The process's own address space, with a chance to see and to refuse.
struct WatchedSpace {
  int refusals_left = 0;
  std::vector<std::uintptr_t> tried;
  AddressSpace space = address_space();

  WatchedSpace() {
    space.map_at = [this](std::uintptr_t begin, std::size_t size, Protection protection) {
      tried.push_back(begin);
      if (refusals_left-- > 0) return false;
      return address_space().map_at(begin, size, protection);
    };
  }
};

Protection protection_at(const void* address) {
  std::vector<Mapping> mappings = address_space().mappings();
  const Mapping* found = find_mapping(mappings, reinterpret_cast<std::uintptr_t>(address));
  return found != nullptr ? found->protection : Protection::none;
}

TEST(FreePlaces, BelowFirstThenAboveTheNearestFirst) {
  std::uintptr_t code = 0x10000000;
  std::vector<Mapping> mappings = {mapping(code - 40 * page, code - 20 * page), mapping(code - 2 * page, code + page),
                                   mapping(code + 2 * page, code + 9 * page)};
  EXPECT_THAT(free_places(mappings, code, page, 100 * page),
              ElementsAre(code - 3 * page, code - 41 * page, code + page, code + 9 * page));
  EXPECT_THAT(free_places(mappings, code, 2 * page, 100 * page),
              ElementsAre(code - 4 * page, code - 42 * page, code + 9 * page));
}

TEST(FreePlaces, NothingBeyondReach) {
  std::uintptr_t code = 0x10000000;
  std::vector<Mapping> mappings = {mapping(code - 10 * page, code + 10 * page)};
  EXPECT_THAT(free_places(mappings, code, page, 10 * page), ElementsAre());
  EXPECT_THAT(free_places(mappings, code, page, 11 * page), ElementsAre(code - 11 * page, code + 10 * page));
}

TEST(FreePlaces, TheHeapKeepsRoomToGrow) {
  std::uintptr_t code = 0x10000000;
  std::vector<Mapping> mappings = {mapping(0, code + page), mapping(code + page, code + 2 * page, "[heap]")};
  EXPECT_THAT(free_places(mappings, code, page, 100 * page), ElementsAre(code + 99 * page));
}

TEST(NearPool, ASlotIsWithinReachAndLeadsToItsTarget) {
  std::vector<CodeRange> regions;
  NearPool pool(address_space(), [&](CodeRange range) { regions.push_back(range); });
  const x86_64::JumpSlot* slot = pool.take("f", here, far_away);
  EXPECT_TRUE(x86_64::jump_through(here, reinterpret_cast<std::uintptr_t>(&slot->target)));
  EXPECT_EQ(slot->target, value(far_away));
  EXPECT_EQ(slot->jump.opcode, 0x25FF);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_TRUE(regions[0].contains(CodeAddress{reinterpret_cast<std::uintptr_t>(slot)}));
}

TEST(NearPool, SealedSlotsAreExecutableAndNotWritable) {
  NearPool pool(address_space(), {});
  const x86_64::JumpSlot* slot = pool.take("f", here, far_away);
  EXPECT_EQ(protection_at(slot), Protection::read | Protection::write);
  pool.seal();
  EXPECT_EQ(protection_at(slot), Protection::read | Protection::execute);
  pool.take("g", here, far_away);
  pool.seal();
  EXPECT_EQ(protection_at(slot), Protection::read | Protection::execute);
}

TEST(NearPool, ASlotGivenBackIsUsedAgain) {
  NearPool pool(address_space(), {});
  const x86_64::JumpSlot* slot = pool.take("f", here, far_away);
  EXPECT_EQ(pool.slots_in_use(), 1u);
  pool.give_back(slot);
  EXPECT_EQ(pool.slots_in_use(), 0u);
  EXPECT_EQ(pool.take("g", here, far_away), slot);
}

TEST(NearPool, ManySlotsAreAllDifferent) {
  NearPool pool(address_space(), {});
  std::vector<const x86_64::JumpSlot*> slots;
  slots.reserve(10000);
  for (int i = 0; i < 10000; ++i) slots.push_back(pool.take("f", here, far_away));
  pool.seal();
  std::sort(slots.begin(), slots.end());
  EXPECT_EQ(std::adjacent_find(slots.begin(), slots.end()), slots.end());
}

TEST(NearPool, APlaceTakenMeanwhileCostsAnotherTryInTheNextGap) {
  WatchedSpace watched;
  watched.refusals_left = 1;
  NearPool pool(watched.space, {});
  const x86_64::JumpSlot* slot = pool.take("f", here, far_away);
  ASSERT_EQ(watched.tried.size(), 2u);
  EXPECT_NE(watched.tried[0], watched.tried[1]);
  EXPECT_TRUE(x86_64::jump_through(here, reinterpret_cast<std::uintptr_t>(&slot->target)));
}

TEST(NearPool, AFullAddressSpaceIsRefusedByTheFunctionsName) {
  WatchedSpace watched;
  watched.space.mappings = [] {
    return std::vector<Mapping>{mapping(0, value(here) - 2 * gigabyte),
                                mapping(value(here) - 2 * gigabyte, value(here)),
                                mapping(value(here), value(here) + 2 * gigabyte)};
  };
  NearPool pool(watched.space, {});
  try {
    pool.take("ns::hello(int)", here, far_away);
    FAIL() << "a slot was found where nothing is free";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::no_room);
    EXPECT_THAT(error.what(), HasSubstr("ns::hello(int)"));
    EXPECT_THAT(error.what(), HasSubstr("2 GB"));
  }
  EXPECT_TRUE(watched.tried.empty());
}

TEST(NearPool, WhenEveryPlaceIsTakenMeanwhileItGivesUp) {
  WatchedSpace watched;
  watched.refusals_left = 1000000;
  NearPool pool(watched.space, {});
  EXPECT_THROW(pool.take("f", here, far_away), Error);
  EXPECT_EQ(pool.slots_in_use(), 0u);
}

TEST(NearPool, ARefusedProtectionIsAnError) {
  WatchedSpace watched;
  watched.space.protect = [](std::uintptr_t, std::size_t, Protection) {
    errno = EACCES;
    return false;
  };
  NearPool pool(watched.space, {});
  pool.take("f", here, far_away);
  EXPECT_THROW(pool.seal(), Error);
}

TEST(NearPool, AFaultLeavesNoSlotInUse) {
  NearPool pool(address_space(), {});
  pool.take("f", here, far_away);
  pool.seal();
  for (const char* point : {"code.near_pool.find_region", "code.near_pool.open"}) {
    ArmedFault armed(point);
    EXPECT_THROW(pool.take("g", here, far_away), Error);
    EXPECT_TRUE(armed.fired());
    EXPECT_EQ(pool.slots_in_use(), 1u);
  }
}

}  // namespace
}  // namespace moult::internal
