// 64 MiB of address space, aligned to as much, that belong to one pool:
//
//   Region | record of slab 0 | record of slab 1 | ...            slots of slab first_slab | slots of the next | ...
//
// The records of the first slabs, whose place the records take, are not used. Region and record of a slot are found by
// arithmetic on its address, and no page holds both slots and records: pages of slots may be made inaccessible or moved
// aside while all of this goes on working. Memory is committed from the front, so the slots of a region are one range.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "data/awaiting.hpp"
#include "data/geometry.hpp"
#include "data/slab.hpp"

namespace moult::data {

class Pool;

class Region final {
 public:
  /// Null when there is no address space or memory for it. Regions live as long as the process.
  static Region* make(Pool& pool, const Geometry& cut) noexcept;

  static Region& of(const void* slot) noexcept { return *std::launder(reinterpret_cast<Region*>(begin_of(slot))); }

  bool contains(const void* other) const noexcept { return begin_of(other) == address(); }

  Pool& pool() const noexcept { return pool_; }
  const Geometry& cut() const noexcept { return cut_; }
  Slab& slab(std::uint32_t index) const noexcept {
    return *std::launder(reinterpret_cast<Slab*>(address() + Slab::records_begin + std::size_t{index} * cut_.stride));
  }
  std::uint32_t index_of(const void* slot) const noexcept {
    return static_cast<std::uint32_t>((reinterpret_cast<std::uintptr_t>(slot) - address()) >> cut_.slab_shift);
  }
  Slab& slab_of(const void* slot) const noexcept { return slab(index_of(slot)); }

  /// The slabs of [first_slab, slabs_end()) have been used.
  std::uint32_t slabs_end() const noexcept { return slabs_end_.load(std::memory_order_acquire); }
  /// A slab that was never used; null when there is none left, or no memory. Under the pool's lock.
  Slab* add_slab() noexcept;

  std::byte* slots_begin() const noexcept { return begin_of(cut_.first_slab); }
  std::size_t committed_slot_bytes() const noexcept { return committed_ - cut_.first_slab * cut_.slab_size(); }

  /// The live slots among 64 of a slab that `portion` stands for, those included that wait to be converted.
  std::uint64_t live(std::uint32_t index, std::uint32_t word, Portion portion) const noexcept {
    const Slab& wanted = slab(index);
    const Awaiting* waiting = awaiting.load(std::memory_order_acquire);
    if (waiting == nullptr || portion == Portion::all) return wanted.live(word, portion);
    std::uint64_t other = waiting->as_now(index, wanted.others()[word].load(std::memory_order_relaxed));
    return wanted.live(word) & (portion == Portion::other ? other : ~other);
  }

  std::atomic<Awaiting*> awaiting{nullptr};  ///< null until the first conversion at first use; set once
  std::atomic<Region*> next{nullptr};        ///< the pool's next region; set once

 private:
  Region(Pool& pool, const Geometry& cut) noexcept;
  static std::uintptr_t begin_of(const void* slot) noexcept {
    return reinterpret_cast<std::uintptr_t>(slot) & ~(region_size - 1);
  }
  std::uintptr_t address() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
  std::byte* begin_of(std::uint32_t index) const noexcept {
    return reinterpret_cast<std::byte*>(address() + (std::size_t{index} << cut_.slab_shift));
  }

  Geometry cut_;
  Pool& pool_;
  std::atomic<std::uint32_t> slabs_end_;
  std::atomic<std::size_t> committed_;  ///< bytes from the region's beginning
};

static_assert(sizeof(Region) <= Slab::records_begin, "the records begin behind the region");

}  // namespace moult::data
