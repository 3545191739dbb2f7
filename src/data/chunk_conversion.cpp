#include "data/chunk_conversion.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>

#include "data/raw_mark.hpp"
#include "platform/poison.hpp"

namespace moult::data {
namespace {

constexpr const char* seen_too_early =
    "a transformer used another object of its chunk, or two transformers an object of the other's";
constexpr const char* unwritten_reason =
    "neither its first nor its last eight bytes were written since `new`, so that it may not have been constructed";

}  // namespace

ChunkConversion::ChunkConversion(detail::ObjectConverter& converter, const PoolChange& change, Slab& slab,
                                 Unwritten unwritten, Olds olds)
    : converter_(converter),
      change_(change),
      slab_(slab),
      unwritten_(unwritten),
      olds_(olds),
      old_size_(converter.old_kind().size),
      new_size_(converter.new_kind().size),
      cells_(std::max(old_size_, new_size_), std::max(converter.old_kind().alignment, converter.new_kind().alignment)) {
  cells_.reserve(3);
  made_ = cells_.take(1);
  ending_ = cells_.take(1);
  scratch_ = cells_.take(1);
  words_.reserve(slab.words());
}

void ChunkConversion::run(std::byte* bytes, const Claim& claim) noexcept {
  mark_olds();
  for (ConvertedWord& word : words_) convert_word(bytes, word, claim);
}

/// What a conversion before has left in the bits may have meant something else.
void ChunkConversion::mark_olds() noexcept {
  for (std::uint32_t word = 0; word < slab_.words(); ++word) {
    std::uint64_t live = slab_.live(word);
    if (live == 0) continue;
    std::uint64_t olds = slab_.live(word, change_.portion);
    std::uint64_t others = change_.olds_are_others() ? olds : live & ~olds;
    words_.push_back({word, olds, 0, slab_.others()[word].exchange(others, std::memory_order_relaxed)});
  }
}

void ChunkConversion::convert_word(std::byte* bytes, ConvertedWord& word, const Claim& claim) noexcept {
  std::size_t slot_size = change_.pool->cut().slot_size;
  Word& others = slab_.others()[word.word];
  for (std::uint64_t left = word.olds; left != 0; left &= left - 1) {
    std::byte* slot = slab_.slot(word.word, static_cast<std::uint32_t>(std::countr_zero(left)), slot_size);
    if (!convert_object(bytes + (slot - slab_.begin()), slot, claim)) continue;
    std::uint64_t bit = left & -left;
    change_.olds_are_others() ? others.fetch_and(~bit) : others.fetch_or(bit);
    word.bits |= bit;
  }
}

void ChunkConversion::leave() noexcept {
  mark_olds();
  for (const ConvertedWord& word : words_)
    for (std::uint64_t left = word.olds; left != 0; left &= left - 1)
      fail(slab_.slot(word.word, static_cast<std::uint32_t>(std::countr_zero(left)), change_.pool->cut().slot_size),
           "transformers that use other objects waited for one another too deep");
}

bool ChunkConversion::convert_object(std::byte* bytes, const std::byte* slot, const Claim& claim) noexcept {
  detail::ObjectBatch one{bytes, change_.pool->cut().slot_size, 1, made_, cells_.cell_size()};
  bool is_unwritten = is_raw(slot, bytes, change_.pool->shape().object_size);
  if (is_unwritten && unwritten_ == Unwritten::refused) return fail(slot, unwritten_reason), false;
  if (converter_.select(one) == 0 || !build(one, slot, claim)) return false;
  if (change_.pool->poisons()) platform::unpoison(slot, std::max(old_size_, new_size_));
  put_in_place(one);
  ++converted_;
  return true;
}

/// The new object, in `made_`. False when there is none.
bool ChunkConversion::build(const detail::ObjectBatch& one, const std::byte* slot, const Claim& claim) noexcept {
  if (claim.is_shown()) return fail(slot, seen_too_early), false;
  try {
    converter_.build(one);
  } catch (const std::exception& error) {
    return fail(slot, error.what()), false;
  } catch (...) {
    return fail(slot, "an exception of a type of its own"), false;
  }
  if (!claim.is_shown()) return true;
  converter_.discard(one);
  return fail(slot, seen_too_early), false;
}

/// No code of the program's runs before the new bytes are there.
void ChunkConversion::put_in_place(const detail::ObjectBatch& one) noexcept {
  std::memcpy(ending_, one.slots, old_size_);
  std::memcpy(one.slots, made_, new_size_);
  if (olds_ == Olds::kept || !converter_.ends_olds()) return;
  converter_.end_olds({made_, cells_.cell_size(), 1, ending_, cells_.cell_size()}, scratch_);
}

void ChunkConversion::fail(const std::byte* slot, const char* reason) noexcept {
  ++failed_;
  try {
    failures_.push_back({slot, reason});
  } catch (...) {  // it is counted at least
  }
}

}  // namespace moult::data
