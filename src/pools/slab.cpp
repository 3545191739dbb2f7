#include "pools/slab.hpp"

namespace moult::internal {
namespace {

constexpr std::uint32_t smallest_slab_shift = 16;
constexpr std::uint32_t largest_slab_shift = 23;
constexpr std::size_t wanted_slots = 16;  // so that less than 1/16 of a slab is unused at its end

static_assert((std::size_t{1} << smallest_slab_shift) / smallest_slot / 64 <= 64, "a slab has at most 64 words");
static_assert(std::size_t{1} << largest_slab_shift == largest_slot, "the largest slot fills the largest slab");

}  // namespace

Geometry Geometry::of(std::size_t slot_size) noexcept {
  Geometry cut;
  cut.slot_size = static_cast<std::uint32_t>(slot_size);
  cut.slab_shift = smallest_slab_shift;
  while (cut.slab_shift < largest_slab_shift && wanted_slots * slot_size >> cut.slab_shift != 0) ++cut.slab_shift;
  cut.offset_mask = (std::uint32_t{1} << cut.slab_shift) - 1;
  cut.inverse = (std::uint64_t{1} << (2 * cut.slab_shift)) / slot_size + 1;
  cut.slots = static_cast<std::uint32_t>(cut.slab_size() / slot_size);
  cut.stride = static_cast<std::uint32_t>(sizeof(Slab) + 3 * Slab::bytes_of_words(cut.words()));
  cut.freed = static_cast<std::uint32_t>(Slab::bytes_of_words(cut.words()) / sizeof(Word));
  cut.slabs = static_cast<std::uint32_t>(region_size / cut.slab_size());
  return cut;
}

Slab::Slab(std::byte* begin, const Geometry& cut) noexcept
    : begin_(begin),
      slots_(static_cast<std::uint16_t>(cut.slots)),
      words_(static_cast<std::uint16_t>(cut.words())),
      freed_(static_cast<std::uint16_t>(cut.freed)) {
  for (std::uint32_t word = 0; word < words_; ++word) {
    new (taken() + word) Word(beyond(word));
    new (freed() + word) Word(beyond(word));
    new (others() + word) Word(0);
  }
}

bool Slab::is_empty() const noexcept {
  for (std::uint32_t word = 0; word < words_; ++word)
    if (live(word) != 0) return false;
  return true;
}

std::uint32_t Slab::collect() noexcept {
  has_freed_slots.exchange(false);  // before the bits are read: a freeing thread sets the bit first
  std::uint32_t free = 0;
  for (std::uint32_t word = 0; word < words_; ++word) {
    std::uint64_t taken_bits = taken()[word].load(std::memory_order_relaxed);
    std::uint64_t freed_bits = freed()[word].load(std::memory_order_seq_cst) & ~beyond(word);
    if (freed_bits != 0) {
      // In this order: in between, the slots are neither live nor available.
      taken()[word].store(taken_bits &= ~freed_bits, std::memory_order_release);
      freed()[word].fetch_and(~freed_bits, std::memory_order_acq_rel);
    }
    free += count_ones(~taken_bits);
  }
  return free;
}

}  // namespace moult::internal
