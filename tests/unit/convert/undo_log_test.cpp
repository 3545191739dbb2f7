// The undo log with one slab. Nothing is evacuated: the memory for the evacuated bytes is merely filled.
#include "convert/undo_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <typeinfo>
#include <utility>
#include <vector>

#include "moult/data_access.hpp"
#include "platform/reserved_memory.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Item : Updatable<Item> {
  explicit Item(int what) : value(what) {}
  int value;
};

int value_at(const std::byte* bytes) {
  int value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// Notes the objects that it undoes or ends by the values that they had before the conversion.
class NotingConverter final : public detail::ObjectConverter {
 public:
  detail::ObjectKind old_kind() const noexcept override { return {&typeid(Item), sizeof(Item), alignof(Item), false}; }
  detail::ObjectKind new_kind() const noexcept override { return old_kind(); }
  bool is_in_place() const noexcept override { return true; }
  bool ends_olds() const noexcept override { return has_destructor; }
  std::uint64_t select(const detail::ObjectBatch& batch) const noexcept override { return batch.bits; }
  void build(const detail::ObjectBatch&) override {}
  void discard(const detail::ObjectBatch&) noexcept override {}
  void exchange(const detail::ObjectBatch&, std::byte*) noexcept override {}
  void convert_in_place(const detail::ObjectBatch&) noexcept override {}
  void put_back(const detail::ObjectBatch& batch) noexcept override {
    batch.for_each([this](std::byte*, const std::byte* cell) { put_back_values.push_back(value_at(cell)); });
    if (const std::function<void()> act = std::exchange(in_put_back, nullptr)) act();
  }
  void end_olds(const detail::ObjectBatch& batch, std::byte*) noexcept override {
    batch.for_each([this](std::byte*, const std::byte* cell) { ended_values.push_back(value_at(cell)); });
  }

  bool has_destructor = true;
  std::function<void()> in_put_back;  ///< once
  std::vector<int> put_back_values;
  std::vector<int> ended_values;
};

/// Items 1, 2 and 3 of one slab. Their evacuated bytes say so, and the program sees 101, 102 and 103.
class UndoLogTest : public testing::Test {
 protected:
  UndoLogTest() {
    commit(region_.evacuated(slab().begin()), region_.slab_size());
    for (const std::unique_ptr<Item>& item : items_) {
      std::memcpy(evacuated(*item), item.get(), sizeof(Item));
      item->value += 100;
    }
  }
  ~UndoLogTest() override { others() = 0; }

  void SetUp() override {
    for (const std::unique_ptr<Item>& item : items_) ASSERT_EQ(number(*item) / 64, word_) << "of one word";
  }

  Slab& slab() const { return region_.region().slab(index_); }
  std::uint32_t number(const Item& item) const {
    const Geometry& cut = region_.region().cut();
    return cut.slot_at(Region::offset_of(&item) & cut.offset_mask);
  }
  std::uint64_t bit(const Item& item) const { return std::uint64_t{1} << (number(item) % 64); }
  Word& others() const { return slab().others()[word_]; }
  std::byte* evacuated(const Item& item) const { return region_.evacuated(reinterpret_cast<const std::byte*>(&item)); }

  /// Items 1 and 2 were converted, item 3 was not.
  std::uint64_t converted() const { return bit(*items_[0]) | bit(*items_[1]); }
  void add(std::uint64_t bits, std::uint64_t was_other = 0) {
    log_.add(UndoLog::prepare(region_, index_), {{word_, bits, bits, was_other}});
  }

  std::array<std::unique_ptr<Item>, 3> items_{std::make_unique<Item>(1), std::make_unique<Item>(2),
                                              std::make_unique<Item>(3)};
  EvacuatedRegion region_{Region::of(items_[1].get()), EvacuationSpace()};
  std::uint32_t index_ = region_.region().index_of(items_[1].get());
  std::uint32_t word_ = number(*items_[1]) / 64;
  NotingConverter converter_;
  UndoLog log_{converter_};
};

TEST_F(UndoLogTest, ConvertedObjectsArePutBackFromTheirEvacuatedBytes) {
  add(converted());
  EXPECT_TRUE(log_.put_back());
  EXPECT_THAT(converter_.put_back_values, UnorderedElementsAre(1, 2));
  EXPECT_EQ(value_at(evacuated(*items_[0])), 1);
}

TEST_F(UndoLogTest, AnotherObjectKeepsWhatTheProgramHasWrittenToIt) {
  add(converted());
  log_.put_back();
  EXPECT_EQ(value_at(evacuated(*items_[2])), 103);
}

TEST_F(UndoLogTest, AnObjectThatWasDeletedSinceIsNotPutBack) {
  add(converted());
  items_[0].reset();
  log_.put_back();
  EXPECT_THAT(converter_.put_back_values, ElementsAre(2));
}

TEST_F(UndoLogTest, LiveSlotsGetTheirOtherBitsBack) {
  others() = converted();
  add(converted(), bit(*items_[0]) | bit(*items_[2]));
  const std::uint64_t first = bit(*items_[0]);
  items_[2].reset();
  log_.put_back();
  EXPECT_EQ(others(), first);
}

TEST_F(UndoLogTest, SlotsThatAreNotInTheLogKeepTheirOtherBits) {
  others() = bit(*items_[2]);
  log_.add(UndoLog::prepare(region_, index_), {});
  EXPECT_TRUE(log_.put_back());
  EXPECT_THAT(converter_.put_back_values, IsEmpty());
  EXPECT_EQ(others(), bit(*items_[2]));
  EXPECT_EQ(value_at(evacuated(*items_[0])), 101) << "made or written since";
}

TEST_F(UndoLogTest, ASlabIsPutBackOnce) {
  EXPECT_FALSE(log_.put_back());
  add(converted());
  EXPECT_TRUE(log_.put_back());
  EXPECT_FALSE(log_.put_back());
  EXPECT_THAT(converter_.put_back_values, UnorderedElementsAre(1, 2));
}

TEST_F(UndoLogTest, WhatADestructorHasConvertedIsPutBackInTheNextRound) {
  add(bit(*items_[0]));
  converter_.in_put_back = [this] { add(bit(*items_[2])); };
  EXPECT_TRUE(log_.put_back());
  EXPECT_THAT(converter_.put_back_values, ElementsAre(1));
  EXPECT_TRUE(log_.put_back());
  EXPECT_FALSE(log_.put_back());
}

TEST_F(UndoLogTest, WhenItEndsTheOldValuesOfConvertedObjectsAreDestroyed) {
  add(converted());
  log_.end_olds();
  EXPECT_THAT(converter_.ended_values, UnorderedElementsAre(1, 2));
  EXPECT_THAT(converter_.put_back_values, IsEmpty());
  EXPECT_FALSE(log_.put_back()) << "no way back is left";
}

TEST_F(UndoLogTest, TheOldValueOfAnObjectThatWasDeletedSinceIsLeftAlone) {
  add(converted());
  items_[1].reset();
  log_.end_olds();
  EXPECT_THAT(converter_.ended_values, ElementsAre(1));
}

TEST_F(UndoLogTest, WithoutADestructorTheEvacuatedBytesAreFreedAllTheSame) {
  converter_.has_destructor = false;
  add(converted());
  log_.end_olds();
  EXPECT_THAT(converter_.ended_values, IsEmpty());
  EXPECT_EQ(value_at(evacuated(*items_[0])), 0);
}

}  // namespace
}  // namespace moult::internal
