// Which slabs of a region hold objects that are still to be converted, at their first use.
//
// The pages of such a slab are elsewhere, and nobody can touch them before they are converted. So no slot in it is born
// (operator new writes to it first) and none dies (deallocation reads it first): which slots are live stays as it was
// when the program was stopped for the conversion. What the objects count as is the new class all the same, so the bits
// of a slab that waits are read with `as_now`.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pools/geometry.hpp"

namespace moult::internal {

/// One for each region in which objects were ever converted like that; there to stay.
class PendingSlabs final {
 public:
  enum class Chunk : std::uint8_t {
    done,     ///< or never had to be
    waiting,  ///< for somebody to convert it
    busy,     ///< being converted
  };
  /// How the bits are to be read that tell which objects are of the pool's other class.
  enum class Now : std::uint8_t {
    all_usual,
    all_others,  ///< a conversion to the other class
  };

  static constexpr std::size_t most_slabs = region_size >> 16;

  Chunk chunk(std::uint32_t slab) const noexcept { return chunks_[slab].load(std::memory_order_acquire); }
  void set(std::uint32_t slab, Chunk chunk) noexcept { chunks_[slab].store(chunk, std::memory_order_release); }
  /// Makes it busy; false when it did not wait.
  bool claim(std::uint32_t slab) noexcept {
    Chunk expected = Chunk::waiting;
    return chunks_[slab].compare_exchange_strong(expected, Chunk::busy, std::memory_order_acq_rel);
  }

  void set_now(Now now) noexcept { now_.store(now, std::memory_order_relaxed); }
  /// 64 bits of `others` of a slab, as they are to be read now.
  std::uint64_t as_now(std::uint32_t slab, std::uint64_t others) const noexcept {
    if (chunk(slab) == Chunk::done) return others;
    return now_.load(std::memory_order_relaxed) == Now::all_others ? ~std::uint64_t{0} : 0;
  }

 private:
  std::atomic<Now> now_{Now::all_usual};
  std::array<std::atomic<Chunk>, most_slabs> chunks_{};
};

}  // namespace moult::internal
