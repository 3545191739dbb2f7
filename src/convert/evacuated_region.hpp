// The slots of pools, evacuated: their pages lie at other addresses until a thread needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "convert/slab_ranges.hpp"
#include "platform/userfaultfd.hpp"
#include "pools/pool.hpp"
#include "pools/region.hpp"

namespace moult::internal {

/// Address space for the evacuated slots of one region.
class EvacuationSpace final {
 public:
  /// Throws std::bad_alloc.
  EvacuationSpace();
  ~EvacuationSpace();
  EvacuationSpace(EvacuationSpace&& other) noexcept;
  EvacuationSpace& operator=(EvacuationSpace&&) = delete;

  std::byte* begin() const noexcept { return begin_; }
  /// Whether unused slots may be committed for a while: the kernel counts no commitments against the process.
  bool takes_unused() const noexcept { return takes_unused_; }
  void give_back() noexcept;

 private:
  std::byte* begin_;
  bool takes_unused_;
};

/// From evacuate to release the slots' addresses are a hole. A thread that accesses it waits.
class EvacuatedRegion final {
 public:
  /// Covers the slabs that have been used by now.
  EvacuatedRegion(Region& region, EvacuationSpace space) noexcept;

  Region& region() const noexcept { return region_; }
  PendingSlabs& pending() const noexcept { return *region_.pending.load(std::memory_order_relaxed); }
  std::uint32_t slabs_end() const noexcept { return end_; }
  std::size_t slab_size() const noexcept { return region_.cut().slab_size(); }
  bool contains(const std::byte* address) const noexcept { return begin() <= address && address < begin() + size(); }
  /// Where a slot's bytes are.
  std::byte* evacuated(const std::byte* slot) const noexcept { return space_.begin() + Region::offset_of(slot); }

  /// In a stop. False when the kernel has no memory for it. Throws Error (system). Nothing has moved then.
  bool evacuate(Userfaultfd& pages);
  /// In the same stop: the evacuated pages return, and replace pages that are at their addresses by now.
  void restore(Userfaultfd& pages) noexcept;

  /// In a stop: fills the slab's addresses with copies of its evacuated bytes, and wakes the waiting threads, or leaves
  /// them waiting.
  void map(std::uint32_t slab, Userfaultfd& pages) noexcept;
  void map_silently(std::uint32_t slab, Userfaultfd& pages) noexcept;
  /// In the same stop: the slab's addresses are a hole again. The evacuated bytes are those that were there last.
  void unmap(std::uint32_t slab) noexcept;

  /// In a running program too: returns the slab's pages for good, and wakes the waiting threads, or leaves them
  /// waiting. The evacuated bytes are used up.
  void bring_back(std::uint32_t slab, Userfaultfd& pages) noexcept;
  void bring_back_silently(std::uint32_t slab, Userfaultfd& pages) noexcept;
  /// Frees the evacuated bytes of a slab.
  void forget(std::uint32_t slab) noexcept;
  /// Ends the watch: the hole becomes ordinary memory, and the evacuated pages are freed.
  void release(Userfaultfd& pages) noexcept;

 private:
  void restore() noexcept;
  std::byte* begin() const noexcept { return region_.slots_begin(); }
  std::size_t size() const noexcept { return end_ * slab_size(); }

  Region& region_;
  EvacuationSpace space_;
  std::uint32_t end_;
  std::size_t moved_ = 0;  ///< bytes, unused slabs included
};

/// The evacuated regions of some pools. A `Range` is made of a region and an EvacuationSpace: EvacuatedRegion,
/// WatchedRegion. Used by one thread; SlabRanges says which functions of `slabs()` other threads may call.
template <class Range>
class EvacuatedPools final {
 public:
  /// Takes address space for the pool's regions, while the program runs. Throws std::bad_alloc.
  void reserve(Pool& pool) {
    pool.for_each_region([this](Region&) { reserved_.emplace_back(); });
  }

  /// In a stop: calls `evacuate(range)` for each region of the pool that has slabs. Throws what that throws, and
  /// std::bad_alloc; the ranges before it stay evacuated then.
  template <class Evacuate>
  void add(Pool& pool, Evacuate&& evacuate) {
    pool.for_each_region([&](Region& region) {
      if (region.slabs_end() == 0) return;
      if (reserved_.empty()) reserved_.emplace_back();
      Range& range = slabs_.add(region, std::move(reserved_.back()));
      reserved_.pop_back();
      try {
        evacuate(range);
      } catch (...) {
        slabs_.drop_last();
        throw;
      }
    });
  }

  SlabRanges<Range>& slabs() noexcept { return slabs_; }
  const SlabRanges<Range>& slabs() const noexcept { return slabs_; }

 private:
  std::vector<EvacuationSpace> reserved_;
  SlabRanges<Range> slabs_;
};

}  // namespace moult::internal
