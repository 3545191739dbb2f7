#include "pools/slab.hpp"

namespace moult::internal {

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
  is_told.exchange(false);  // before the bits are read: who frees sets the bit first
  std::uint32_t free = 0;
  for (std::uint32_t word = 0; word < words_; ++word) {
    std::uint64_t taken_bits = taken()[word].load(std::memory_order_relaxed);
    std::uint64_t freed_bits = freed()[word].load(std::memory_order_seq_cst) & ~beyond(word);
    if (freed_bits != 0) {
      // In this order: in between the slots are neither live nor to be had.
      taken()[word].store(taken_bits &= ~freed_bits, std::memory_order_release);
      freed()[word].fetch_and(~freed_bits, std::memory_order_acq_rel);
    }
    free += count_ones(~taken_bits);
  }
  return free;
}

}  // namespace moult::internal
