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

void UndoLog::add(Entries one, std::vector<ConvertedWord> words) noexcept {
  one.front().words = std::move(words);
  all_.with([&](Entries& all) { all.splice(all.end(), one); });
}

UndoLog::Entries UndoLog::take() noexcept {
  Entries taken;
  all_.with([&](Entries& all) { taken.swap(all); });
  return taken;
}

bool UndoLog::put_back() noexcept {
  Entries entries = take();
  for (Entry& entry : entries) put_back(entry);
  return !entries.empty();
}

/// Of a converted object the evacuated bytes are still the old ones. Of any other live object they are copied: the
/// program may have written to it, or made it, since.
void UndoLog::put_back(Entry& entry) noexcept {
  const Region& region = entry.region->region();
  Slab& slab = region.slab(entry.slab);
  const std::size_t slot_size = region.cut().slot_size;
  auto recorded = entry.words.begin();
  for (std::uint32_t word = 0; word < slab.words(); ++word) {
    const bool is_recorded = recorded != entry.words.end() && recorded->word == word;
    const std::uint64_t converted = is_recorded ? recorded->bits : 0;
    for (std::uint64_t left = slab.live(word); left != 0; left &= left - 1) {
      std::byte* slot = slab.slot(word, static_cast<std::uint32_t>(std::countr_zero(left)), slot_size);
      std::byte* evacuated = entry.region->evacuated(slot);
      if ((converted & left & -left) == 0) {
        copy_unchecked(evacuated, slot, slot_size);
        continue;
      }
      converter_.put_back({slot, slot_size, 1, evacuated, slot_size});
      if (!region.pool().poisons()) continue;
      internal::poison(slot, slot_size);
      unpoison(slot, converter_.old_kind().size);
    }
    if (is_recorded) slab.others()[word].store(recorded++->was_other & slab.live(word));
  }
}

void UndoLog::end_olds() noexcept {
  for (const Entry& entry : take()) {
    if (converter_.ends_olds()) end_olds(entry);
    entry.region->forget(entry.slab);
  }
}

void UndoLog::end_olds(const Entry& entry) noexcept {
  const Region& region = entry.region->region();
  Slab& slab = region.slab(entry.slab);
  const std::size_t slot_size = region.cut().slot_size;
  for (const ConvertedWord& word : entry.words)
    for (std::uint64_t left = word.bits & slab.live(word.word); left != 0; left &= left - 1) {
      std::byte* slot = slab.slot(word.word, static_cast<std::uint32_t>(std::countr_zero(left)), slot_size);
      converter_.end_olds({slot, slot_size, 1, entry.region->evacuated(slot), slot_size}, scratch_.get());
    }
}

}  // namespace moult::internal
