#include "convert/undo_log.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "platform/poison.hpp"
#include "pools/pool.hpp"

namespace moult::internal {

UndoLog::UndoLog(detail::ObjectConverter& converter)
    : converter_(converter),
      scratch_(std::make_unique<std::byte[]>(std::max(converter.old_kind().size, converter.new_kind().size))) {}

void UndoLog::add(Chunks one, std::vector<ConvertedWord> words) noexcept {
  one.front().words = std::move(words);
  all_.with([&](Chunks& all) { all.splice(all.end(), one); });
}

UndoLog::Chunks UndoLog::take() noexcept {
  Chunks taken;
  all_.with([&](Chunks& all) { taken.swap(all); });
  return taken;
}

bool UndoLog::put_back() noexcept {
  Chunks chunks = take();
  for (Chunk& chunk : chunks) put_back(chunk);
  return !chunks.empty();
}

/// The moved bytes of objects that were converted are still what they were, and others may have been written to, or
/// made, since.
void UndoLog::put_back(Chunk& chunk) noexcept {
  const Region& region = chunk.region->region();
  Slab& slab = region.slab(chunk.slab);
  const std::size_t slot_size = region.cut().slot_size;
  auto recorded = chunk.words.begin();
  for (std::uint32_t word = 0; word < slab.words(); ++word) {
    const bool is_recorded = recorded != chunk.words.end() && recorded->word == word;
    const std::uint64_t converted = is_recorded ? recorded->bits : 0;
    for (std::uint64_t left = slab.live(word); left != 0; left &= left - 1) {
      std::byte* slot = slab.slot(word, static_cast<std::uint32_t>(std::countr_zero(left)), slot_size);
      std::byte* aside = chunk.region->aside(slot);
      if ((converted & left & -left) == 0) {
        copy_unchecked(aside, slot, slot_size);
        continue;
      }
      converter_.put_back({slot, slot_size, 1, aside, slot_size});
      if (!region.pool().poisons()) continue;
      internal::poison(slot, slot_size);
      unpoison(slot, converter_.old_kind().size);
    }
    if (is_recorded) slab.others()[word].store(recorded++->was_other & slab.live(word));
  }
}

void UndoLog::end_olds() noexcept {
  for (const Chunk& chunk : take()) {
    if (converter_.ends_olds()) end_olds(chunk);
    chunk.region->forget(chunk.slab);
  }
}

void UndoLog::end_olds(const Chunk& chunk) noexcept {
  const Region& region = chunk.region->region();
  Slab& slab = region.slab(chunk.slab);
  const std::size_t slot_size = region.cut().slot_size;
  for (const ConvertedWord& word : chunk.words)
    for (std::uint64_t left = word.bits & slab.live(word.word); left != 0; left &= left - 1) {
      std::byte* slot = slab.slot(word.word, static_cast<std::uint32_t>(std::countr_zero(left)), slot_size);
      converter_.end_olds({slot, slot_size, 1, chunk.region->aside(slot), slot_size}, scratch_.get());
    }
}

}  // namespace moult::internal
