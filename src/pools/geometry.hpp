// How a pool's memory is cut: regions of 1 GiB, slabs of a power of two in them, slots of one size in those.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moult::internal {

/// Of the slots alone. The kernel keeps the whereabouts of so much memory, so aligned, in one table, and moves it at
/// once.
inline constexpr std::size_t region_size = std::size_t{1} << 30;
/// So that a slab has at most 64 words of bits.
inline constexpr std::size_t smallest_slot = 16;
/// A larger slot does not fit into any slab.
inline constexpr std::size_t largest_slot = std::size_t{8} << 20;

struct Geometry {
  /// `slot_size` is at least smallest_slot and at most largest_slot.
  static Geometry of(std::size_t slot_size) noexcept;

  std::size_t slab_size() const noexcept { return offset_mask + std::size_t{1}; }
  std::uint32_t words() const noexcept { return (slots + 63) / 64; }

  /// The slot that byte `offset` of a slab lies in: a division by a multiplication. Exact for every offset in a slab,
  /// since the inverse is too large by less than one part in slab_size squared (Granlund and Montgomery, PLDI 1994).
  std::uint32_t slot_at(std::size_t offset) const noexcept {
    return static_cast<std::uint32_t>((offset * inverse) >> (2 * slab_shift));
  }

  std::uint64_t inverse = 0;
  std::uint32_t slot_size = 0;
  std::uint32_t slab_shift = 0;
  std::uint32_t offset_mask = 0;  ///< slab_size() - 1
  std::uint32_t slots = 0;        ///< in a slab
  std::uint32_t stride = 0;       ///< bytes from the record of a slab to the next one's
  std::uint32_t freed = 0;        ///< words from a slab's bits of one kind to those of the next
  std::uint32_t slabs = 0;        ///< in a region
};

}  // namespace moult::internal
