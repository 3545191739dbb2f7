// Which slabs of a region hold objects that a lazy conversion has yet to convert.
//
// The pages of a pending slab are evacuated, and no thread can access them before they are converted. So none of its
// slots becomes live (operator new writes to the slot first) and none becomes free (deallocation reads it first): the
// live slots are those of the stop in which the conversion began. But the objects count as objects of the new class
// already. So the `other` bits of such a slab are read with others_of.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pools/slab.hpp"

namespace moult::internal {

/// One for each region that a lazy conversion has ever concerned, as long-lived as the region. Safe in any thread.
class PendingSlabs final {
 public:
  enum class State : std::uint8_t {
    done,  ///< or never pending
    pending,
    busy,  ///< in conversion
  };
  /// How the `other` bits of a slab read that is not done.
  enum class Others : std::uint8_t {
    none,
    all,  ///< the new class is the pool's other one
  };

  static constexpr std::size_t most_slabs = region_size >> 16;

  State state(std::uint32_t slab) const noexcept { return states_[slab].load(std::memory_order_acquire); }
  void set(std::uint32_t slab, State state) noexcept { states_[slab].store(state, std::memory_order_release); }
  /// Makes a pending slab busy; false when it is not pending.
  bool claim(std::uint32_t slab) noexcept {
    State expected = State::pending;
    return states_[slab].compare_exchange_strong(expected, State::busy, std::memory_order_acq_rel);
  }

  void set_others(Others others) noexcept { others_.store(others, std::memory_order_relaxed); }
  /// `bits` are 64 stored `other` bits of the slab; returns the bits that hold now.
  std::uint64_t others_of(std::uint32_t slab, std::uint64_t bits) const noexcept {
    if (state(slab) == State::done) return bits;
    return others_.load(std::memory_order_relaxed) == Others::all ? ~std::uint64_t{0} : 0;
  }

 private:
  std::atomic<Others> others_{Others::none};
  std::array<std::atomic<State>, most_slabs> states_{};
};

}  // namespace moult::internal
