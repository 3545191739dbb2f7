#include "convert/slab_conversion.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>

#include "platform/poison.hpp"
#include "pools/uninitialised_mark.hpp"

namespace moult::internal {
namespace {

constexpr const char* seen_too_early =
    "a transformer used another object of its slab, or two transformers an object of the other's";
constexpr const char* unwritten_reason =
    "neither its first nor its last eight bytes were written since `new`, so that it may not have been constructed";

}  // namespace

SlabConversion::SlabConversion(detail::ObjectConverter& converter, const PoolChange& change, Slab& slab,
                               Unwritten unwritten, Olds olds)
    : converter_(converter),
      change_(change),
      slab_(slab),
      unwritten_(unwritten),
      olds_(olds),
      old_size_(converter.old_kind().size),
      new_size_(converter.new_kind().size),
      staging_(std::max(old_size_, new_size_),
               std::max(converter.old_kind().alignment, converter.new_kind().alignment)) {
  staging_.reserve(3);
  made_ = staging_.take(1);
  ending_ = staging_.take(1);
  scratch_ = staging_.take(1);
  words_.reserve(slab.words());
}

void SlabConversion::run(std::byte* bytes, const HeldSlab& held) noexcept {
  mark_olds();
  for (ConvertedWord& word : words_) convert_word(bytes, word, held);
}

/// An earlier conversion may have used the bits with another meaning.
void SlabConversion::mark_olds() noexcept {
  for (std::uint32_t word = 0; word < slab_.words(); ++word) {
    std::uint64_t live = slab_.live(word);
    if (live == 0) continue;
    std::uint64_t olds = slab_.live(word, change_.portion);
    std::uint64_t others = change_.olds_are_others() ? olds : live & ~olds;
    words_.push_back({word, olds, 0, slab_.others()[word].exchange(others, std::memory_order_relaxed)});
  }
}

void SlabConversion::convert_word(std::byte* bytes, ConvertedWord& word, const HeldSlab& held) noexcept {
  std::size_t slot_size = change_.pool->cut().slot_size;
  Word& others = slab_.others()[word.word];
  for (std::uint64_t left = word.olds; left != 0; left &= left - 1) {
    std::byte* slot = slab_.slot(word.word, static_cast<std::uint32_t>(std::countr_zero(left)), slot_size);
    if (!convert_object(bytes + (slot - slab_.begin()), slot, held)) continue;
    std::uint64_t bit = left & -left;
    change_.olds_are_others() ? others.fetch_and(~bit) : others.fetch_or(bit);
    word.bits |= bit;
  }
}

void SlabConversion::prepare_in_place() {
  std::size_t olds = 0;
  for (std::uint32_t word = 0; word < slab_.words(); ++word) olds += count_ones(slab_.live(word, change_.portion));
  staging_.reserve(olds);
  built_.reserve(slab_.words());
}

void SlabConversion::run_in_place() noexcept {
  mark_olds();
  std::size_t slot_size = change_.pool->cut().slot_size;
  for (ConvertedWord& word : words_) {
    std::byte* cells = staging_.take(count_ones(word.olds));
    built_.push_back({word, {slab_.slot(word.word, 0, slot_size), slot_size, 0, cells, staging_.cell_size()}});
  }
  for (Built& each : built_) build_word(each);
  for (const Built& each : built_) exchange_word(each);
  if (olds_ == Olds::kept || !converter_.ends_olds()) return;
  for (const Built& each : built_) converter_.end_olds(each.batch, scratch_);
}

/// Makes the new objects, in cells beside the pool.
void SlabConversion::build_word(Built& built) noexcept {
  detail::ObjectBatch one = built.batch;
  for (std::uint64_t left = built.word.olds; left != 0; left &= left - 1) {
    std::byte* slot = slab_.slot(built.word.word, static_cast<std::uint32_t>(std::countr_zero(left)), one.slot_size);
    one.bits = left & -left;
    if (!may_be_converted(slot, slot) || converter_.select(one) == 0) continue;
    if (!build(one, slot)) continue;
    built.batch.bits |= one.bits;
    one.cells += one.cell_size;
  }
}

void SlabConversion::exchange_word(const Built& built) noexcept {
  if (change_.pool->poisons())
    built.batch.for_each([this](const std::byte* slot, std::byte*) { unpoison(slot, std::max(old_size_, new_size_)); });
  converter_.exchange(built.batch, scratch_);
  Word& others = slab_.others()[built.word.word];
  change_.olds_are_others() ? others.fetch_and(~built.batch.bits) : others.fetch_or(built.batch.bits);
  built.word.bits = built.batch.bits;
  converted_ += count_ones(built.batch.bits);
}

void SlabConversion::leave(const char* reason) noexcept {
  mark_olds();
  for (const ConvertedWord& word : words_)
    for (std::uint64_t left = word.olds; left != 0; left &= left - 1)
      fail(slab_.slot(word.word, static_cast<std::uint32_t>(std::countr_zero(left)), change_.pool->cut().slot_size),
           reason);
}

bool SlabConversion::may_be_converted(const std::byte* bytes, const std::byte* slot) noexcept {
  if (unwritten_ == Unwritten::converted || !is_uninitialised(slot, bytes, change_.pool->shape().object_size))
    return true;
  fail(slot, unwritten_reason);
  return false;
}

bool SlabConversion::convert_object(std::byte* bytes, const std::byte* slot, const HeldSlab& held) noexcept {
  detail::ObjectBatch one{bytes, change_.pool->cut().slot_size, 1, made_, staging_.cell_size()};
  if (!may_be_converted(bytes, slot) || converter_.select(one) == 0) return false;
  if (held.is_mapped()) return fail(slot, seen_too_early), false;
  if (!build(one, slot)) return false;
  if (held.is_mapped()) {
    converter_.discard(one);
    return fail(slot, seen_too_early), false;
  }
  if (change_.pool->poisons()) unpoison(slot, std::max(old_size_, new_size_));
  put_in_place(one);
  ++converted_;
  return true;
}

/// Makes the new object in its cell. False when the transformer throws.
bool SlabConversion::build(const detail::ObjectBatch& one, const std::byte* slot) noexcept {
  try {
    converter_.build(one);
    return true;
  } catch (const std::exception& error) {
    return fail(slot, error.what()), false;
  } catch (...) {
    return fail(slot, "an exception of a type of its own"), false;
  }
}

/// Code of the program runs only after the new bytes are in the slot.
void SlabConversion::put_in_place(const detail::ObjectBatch& one) noexcept {
  std::memcpy(ending_, one.slots, old_size_);
  std::memcpy(one.slots, made_, new_size_);
  if (olds_ == Olds::kept || !converter_.ends_olds()) return;
  converter_.end_olds({made_, staging_.cell_size(), 1, ending_, staging_.cell_size()}, scratch_);
}

void SlabConversion::fail(const std::byte* slot, const char* reason) noexcept {
  ++failed_;
  try {
    failures_.push_back({slot, reason});
  } catch (...) {  // without memory the object is counted, but not named
  }
}

}  // namespace moult::internal
