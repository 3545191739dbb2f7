// Why: how long the program stands still must not depend on how many objects there are, and mremap takes half a
// microsecond for each table of 2 MiB that it moves.
//
// How: it moves a table of 1 GiB by one entry, where all of that is in one mapping and nothing of it is watched. So a
// region's slots are just that, and while they are aside those that were never used are committed, too. Four GiB take
// 50 microseconds. What the kernel refuses to move in one piece is moved piece by piece.
//
// One mapping it stays: the kernel makes neighbours one again if their first pages were given to them while they were
// one, which is what the page is for that is written to before a part of them is watched.
//
// Limits: where commitments count (EvacuationSpace), or the mapping is cut for another reason, 2 MiB are moved at a time.
#include "convert/evacuated_region.hpp"

#include <new>
#include <utility>

#include "platform/memory.hpp"
#include "platform/poison.hpp"
#include "platform/reserved_memory.hpp"
#include "pools/pool.hpp"

namespace moult::internal {

EvacuationSpace::EvacuationSpace() : begin_(reserve(region_size, region_size)), takes_unused_(promises_are_free()) {
  if (begin_ == nullptr) throw std::bad_alloc();
  add_roots(begin_, region_size);
}

EvacuationSpace::EvacuationSpace(EvacuationSpace&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), takes_unused_(other.takes_unused_) {}

EvacuationSpace::~EvacuationSpace() { give_back(); }

void EvacuationSpace::give_back() noexcept {
  if (begin_ == nullptr) return;
  remove_roots(begin_, region_size);
  unreserve(std::exchange(begin_, nullptr), region_size);
}

EvacuatedRegion::EvacuatedRegion(Region& region, EvacuationSpace aside) noexcept
    : region_(region), aside_(std::move(aside)), end_(region.slabs_end()) {}

bool EvacuatedRegion::move(Userfaultfd& pages) {
  moved_ = aside_.takes_unused() ? region_.widen() : region_.committed_slot_bytes();
  if (!move_pages(begin(), aside(begin()), moved_)) {
    region_.pool().narrow(region_);
    return false;
  }
  try {
    // Written to as one mapping first, what is watched and what is not can become one again.
    populate(begin(), page_size());
    // Not before: what is watched is moved page by page.
    pages.watch(begin(), size());
    // That page, and what a worker of the kernel has put there, which no stop holds.
    discard(begin(), size());
  } catch (...) {
    move_back();
    throw;
  }
  return true;
}

/// Slabs that were used since then are where they belong.
void EvacuatedRegion::move_back() noexcept {
  const std::size_t wanted = region_.slabs_end() == end_ ? moved_ : size();
  if (!move_pages(aside(begin()), begin(), wanted)) copy_unchecked(begin(), aside(begin()), size());
  region_.pool().narrow(region_);
}

void EvacuatedRegion::move_back(Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  move_back();
}

void EvacuatedRegion::show(std::uint32_t slab, Userfaultfd& pages) noexcept {
  const std::byte* begin = region_.slab(slab).begin();
  pages.fill(region_.slab(slab).begin(), slab_size(), aside(begin));
}

void EvacuatedRegion::show_silently(std::uint32_t slab, Userfaultfd& pages) noexcept {
  const std::byte* begin = region_.slab(slab).begin();
  pages.fill_silently(region_.slab(slab).begin(), slab_size(), aside(begin));
}

void EvacuatedRegion::bring_back(std::uint32_t slab, Userfaultfd& pages) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  pages.move(begin, slab_size(), aside(begin));
}

void EvacuatedRegion::bring_back_silently(std::uint32_t slab, Userfaultfd& pages) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  pages.move_silently(begin, slab_size(), aside(begin));
}

void EvacuatedRegion::hide(std::uint32_t slab) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  copy_unchecked(aside(begin), begin, slab_size());
  discard(begin, slab_size());
}

void EvacuatedRegion::forget(std::uint32_t slab) noexcept { discard(aside(region_.slab(slab).begin()), slab_size()); }

void EvacuatedRegion::release(Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  region_.pool().narrow(region_);
  aside_.give_back();
}

}  // namespace moult::internal
