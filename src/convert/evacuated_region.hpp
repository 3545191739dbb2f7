// The slots of one region, whose pages lie elsewhere until somebody wants them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/userfaultfd.hpp"
#include "pools/region.hpp"

namespace moult::internal {

/// As much address space as the slots of a region take.
class EvacuationSpace final {
 public:
  /// Throws std::bad_alloc.
  EvacuationSpace();
  ~EvacuationSpace();
  EvacuationSpace(EvacuationSpace&& other) noexcept;
  EvacuationSpace& operator=(EvacuationSpace&&) = delete;

  std::byte* begin() const noexcept { return begin_; }
  /// Whether slots that are not used yet may be committed for a while: nothing is counted against the process for it.
  bool takes_unused() const noexcept { return takes_unused_; }
  void give_back() noexcept;

 private:
  std::byte* begin_;
  bool takes_unused_;
};

/// Between move and release nobody touches a slot that was moved: where it was is a hole, and who touches that waits.
class EvacuatedRegion final {
 public:
  /// What it covers are the slabs that have been used by now.
  EvacuatedRegion(Region& region, EvacuationSpace aside) noexcept;

  Region& region() const noexcept { return region_; }
  PendingSlabs& awaiting() const noexcept { return *region_.awaiting.load(std::memory_order_relaxed); }
  std::uint32_t slabs_end() const noexcept { return end_; }
  std::size_t slab_size() const noexcept { return region_.cut().slab_size(); }
  bool contains(const std::byte* address) const noexcept { return begin() <= address && address < begin() + size(); }
  /// Where the bytes of a slot are.
  std::byte* aside(const std::byte* slot) const noexcept { return aside_.begin() + Region::offset_of(slot); }

  /// In a stop. False when the kernel has no memory for it. Throws Error (system). Nothing has moved then.
  bool move(Userfaultfd& pages);
  /// In the same stop: the moved pages are where they were, instead of what is there by now.
  void move_back(Userfaultfd& pages) noexcept;
  /// In a stop: the slab's bytes are where they were, too, and those who wait for them are woken or not.
  void show(std::uint32_t slab, Userfaultfd& pages) noexcept;
  void show_silently(std::uint32_t slab, Userfaultfd& pages) noexcept;
  /// In the same stop: they are elsewhere only, as they are by now.
  void hide(std::uint32_t slab) noexcept;
  /// For good, and in a running program, too: the slab's bytes are where they were, and those who wait for them are
  /// woken or not. What is aside is used up.
  void bring_back(std::uint32_t slab, Userfaultfd& pages) noexcept;
  void bring_back_silently(std::uint32_t slab, Userfaultfd& pages) noexcept;
  /// The moved bytes of a slab are not needed any more.
  void forget(std::uint32_t slab) noexcept;
  /// Nothing waits any more: the hole is memory like any other, and the moved pages are gone.
  void release(Userfaultfd& pages) noexcept;

 private:
  void move_back() noexcept;
  std::byte* begin() const noexcept { return region_.slots_begin(); }
  std::size_t size() const noexcept { return end_ * slab_size(); }

  Region& region_;
  EvacuationSpace aside_;
  std::uint32_t end_;
  std::size_t moved_ = 0;  ///< bytes, those of slabs included that have not been used
};

}  // namespace moult::internal
