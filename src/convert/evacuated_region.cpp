// Problem: the length of a stop must not depend on the number of objects. mremap takes half a microsecond for each page
// table (2 MiB) that it moves.
//
// Approach: mremap moves 1 GiB by a single entry of the table above, where all of it is one mapping and nothing in it
// is watched. A region's slots are exactly that. While they are evacuated, slots that were never used are committed
// too, so that the mapping stays whole. So 4 GiB take 50 microseconds. A mapping that the kernel refuses to move as a
// whole is moved in parts.
//
// The hole must become one mapping again later. The kernel merges two neighbouring mappings only if their first pages
// were allocated while they were one mapping. So evacuate() writes to one page before a part of the hole is watched.
//
// Limits: the kernel moves 2 MiB at a time where it counts commitments (EvacuationSpace::takes_unused), or where the
// mapping is divided for another reason.
#include "convert/evacuated_region.hpp"

#include <new>
#include <utility>

#include "platform/memory.hpp"
#include "platform/poison.hpp"
#include "platform/reserved_memory.hpp"

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

EvacuatedRegion::EvacuatedRegion(Region& region, EvacuationSpace space) noexcept
    : region_(region), space_(std::move(space)), end_(region.slabs_end()) {}

bool EvacuatedRegion::evacuate(Userfaultfd& pages) {
  moved_ = space_.takes_unused() ? region_.widen() : region_.committed_slot_bytes();
  if (!move_pages(begin(), evacuated(begin()), moved_)) {
    region_.pool().narrow(region_);
    return false;
  }
  try {
    // Written while the hole is one mapping, so that its watched and unwatched parts can merge again.
    populate(begin(), page_size());
    // Not before the move: the kernel moves watched memory page by page.
    pages.watch(begin(), size());
    // That page, and pages that a kernel worker has written meanwhile: no stop holds those workers.
    discard(begin(), size());
  } catch (...) {
    restore();
    throw;
  }
  return true;
}

/// Slabs first used after the evacuation are in their places already.
void EvacuatedRegion::restore() noexcept {
  const std::size_t wanted = region_.slabs_end() == end_ ? moved_ : size();
  if (!move_pages(evacuated(begin()), begin(), wanted)) copy_unchecked(begin(), evacuated(begin()), size());
  region_.pool().narrow(region_);
}

void EvacuatedRegion::restore(Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  restore();
}

void EvacuatedRegion::map(std::uint32_t slab, Userfaultfd& pages) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  pages.fill(begin, slab_size(), evacuated(begin));
}

void EvacuatedRegion::map_silently(std::uint32_t slab, Userfaultfd& pages) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  pages.fill_silently(begin, slab_size(), evacuated(begin));
}

void EvacuatedRegion::bring_back(std::uint32_t slab, Userfaultfd& pages) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  pages.move(begin, slab_size(), evacuated(begin));
}

void EvacuatedRegion::bring_back_silently(std::uint32_t slab, Userfaultfd& pages) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  pages.move_silently(begin, slab_size(), evacuated(begin));
}

void EvacuatedRegion::unmap(std::uint32_t slab) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  copy_unchecked(evacuated(begin), begin, slab_size());
  discard(begin, slab_size());
}

void EvacuatedRegion::forget(std::uint32_t slab) noexcept {
  discard(evacuated(region_.slab(slab).begin()), slab_size());
}

void EvacuatedRegion::release(Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  region_.pool().narrow(region_);
  space_.give_back();
}

}  // namespace moult::internal
