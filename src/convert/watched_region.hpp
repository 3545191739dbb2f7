// The slots of one region, of which each slab's are brought back when somebody touches them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "convert/evacuated_region.hpp"
#include "platform/userfaultfd.hpp"
#include "pools/region.hpp"

namespace moult::internal {

/// Between move and release nobody touches a slot of a chunk that is not shown: where it was is a hole, and who touches
/// that waits. Objects are at their own addresses whenever anybody sees them.
class WatchedRegion final {
 public:
  enum class Chunk : std::uint8_t {
    hidden,  ///< its pages are aside
    wanted,  ///< the same, and somebody waits for its objects to be visited first
    busy,    ///< somebody brings the pages back
    shown,
  };

  /// What it covers are the slabs that have been used by now. Throws std::bad_alloc.
  WatchedRegion(Region& region, EvacuationSpace aside);
  WatchedRegion(WatchedRegion&&) noexcept = default;

  Region& region() const noexcept { return slots_.region(); }
  std::uint32_t slabs_end() const noexcept { return slots_.slabs_end(); }
  bool contains(const std::byte* address) const noexcept { return slots_.contains(address); }

  std::atomic<Chunk>& chunk(std::uint32_t slab) const noexcept { return chunks_[slab]; }
  /// Makes a hidden or wanted chunk busy; false when it is neither.
  bool claim(std::uint32_t slab) noexcept;
  /// Of a busy one: its pages are back, and who waits for them goes on.
  void show(std::uint32_t slab, Userfaultfd& pages) noexcept;

  /// In a stop. Throws Error (system); nothing has moved then.
  void move(Userfaultfd& pages);
  /// In the same stop, before anything was shown.
  void move_back(Userfaultfd& pages) noexcept { slots_.move_back(pages); }
  /// All is shown: memory like any other.
  void release(Userfaultfd& pages) noexcept { slots_.release(pages); }

 private:
  EvacuatedRegion slots_;
  std::unique_ptr<std::atomic<Chunk>[]> chunks_;
};

}  // namespace moult::internal
