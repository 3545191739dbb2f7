// 1 GiB of address space for the slots of one pool, aligned to 1 GiB, and behind it the records of its slabs:
//
//   slots of slab 0 | slots of slab 1 | ...            Region | record of slab 0 | record of slab 1 | ...
//
// Arithmetic on a slot's address finds its region and its record. No page holds both slots and records, so the pages of
// slots can be evacuated while the records stay usable. Memory is committed from the front of both parts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "pools/pending_slabs.hpp"
#include "pools/slab.hpp"

namespace moult::internal {

class Pool;

class Region final {
 public:
  /// Null without address space or memory for it. Regions live as long as the process.
  static Region* make(Pool& pool, const Geometry& cut) noexcept;

  /// The region around a slot's address.
  static Region& of(const void* slot) noexcept {
    return *std::launder(reinterpret_cast<Region*>(begin_of(slot) + region_size));
  }

  /// Whether any address is among the slots.
  bool contains(const void* other) const noexcept { return begin_of(other) + region_size == address(); }

  Pool& pool() const noexcept { return pool_; }
  const Geometry& cut() const noexcept { return cut_; }
  Slab& slab(std::uint32_t index) const noexcept {
    return *std::launder(reinterpret_cast<Slab*>(address() + records_begin + std::size_t{index} * cut_.stride));
  }
  std::uint32_t index_of(const void* slot) const noexcept {
    return static_cast<std::uint32_t>(offset_of(slot) >> cut_.slab_shift);
  }
  Slab& slab_of(const void* slot) const noexcept { return slab(index_of(slot)); }
  /// Bytes from the first slot to an address.
  static std::size_t offset_of(const void* slot) noexcept {
    return reinterpret_cast<std::uintptr_t>(slot) & (region_size - 1);
  }

  /// Whether the slot around an address is live.
  bool is_live(const void* address) const noexcept {
    const std::uint32_t number = cut_.slot_at(offset_of(address) & cut_.offset_mask);
    return (slab_of(address).live(number / 64) >> (number % 64) & 1) != 0;
  }

  /// All slabs before this one have been used.
  std::uint32_t slabs_end() const noexcept { return slabs_end_.load(std::memory_order_acquire); }
  /// The first slab that was never used; null when none is left, or without memory. Under the pool's lock.
  Slab* add_slab() noexcept;

  std::byte* slots_begin() const noexcept { return reinterpret_cast<std::byte*>(address() - region_size); }
  /// Bytes of the slots in used slabs.
  std::size_t used_slot_bytes() const noexcept { return slabs_end() * cut_.slab_size(); }
  std::size_t committed_slot_bytes() const noexcept { return committed_; }
  const std::byte* records() const noexcept { return reinterpret_cast<const std::byte*>(address()); }
  std::size_t committed_record_bytes() const noexcept { return committed_records_; }
  /// Address space of slots and records.
  std::size_t reserved_bytes() const noexcept;

  /// In a stop: commits the slots of unused slabs too, until narrow. Returns the committed bytes of slots: all, unless
  /// the kernel refuses.
  std::size_t widen() noexcept;
  /// Under the pool's lock.
  void narrow() noexcept;

  /// The live slots of `portion` among 64 of a slab. Pending objects count as objects of the new class.
  std::uint64_t live(std::uint32_t index, std::uint32_t word, Portion portion) const noexcept {
    const Slab& wanted = slab(index);
    const PendingSlabs* pending_slabs = pending.load(std::memory_order_acquire);
    if (pending_slabs == nullptr || portion == Portion::all) return wanted.live(word, portion);
    std::uint64_t other = pending_slabs->others_of(index, wanted.others()[word].load(std::memory_order_relaxed));
    return wanted.live(word) & (portion == Portion::other ? other : ~other);
  }

  /// Makes `pending`, unless it is there. Throws std::bad_alloc.
  void provide_pending();

  std::atomic<PendingSlabs*> pending{nullptr};  ///< null until the first lazy conversion; set once
  std::atomic<Region*> next{nullptr};           ///< the pool's next region; set once

 private:
  /// Bytes from the region's own address to the first record.
  static constexpr std::size_t records_begin = 4 * Slab::line;

  Region(Pool& pool, const Geometry& cut, std::size_t committed_records) noexcept;
  static std::size_t record_bytes(const Geometry& cut, std::size_t slabs) noexcept;
  static std::uintptr_t begin_of(const void* slot) noexcept {
    return reinterpret_cast<std::uintptr_t>(slot) & ~(region_size - 1);
  }
  std::uintptr_t address() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
  bool commit_more() noexcept;

  Geometry cut_;
  Pool& pool_;
  std::atomic<std::uint32_t> slabs_end_{0};
  std::atomic<std::size_t> committed_{0};       ///< bytes of slots
  std::atomic<std::size_t> committed_records_;  ///< bytes from the region's own address
};

}  // namespace moult::internal
