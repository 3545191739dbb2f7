#include "convert/watched_region.hpp"

#include <utility>

#include "base/fault.hpp"
#include "moult/error.hpp"
#include "pools/class_pools.hpp"

namespace moult::internal {

WatchedRegion::WatchedRegion(Region& region, EvacuationSpace aside)
    : slots_(region, std::move(aside)), chunks_(std::make_unique<std::atomic<Chunk>[]>(slabs_end())) {}

bool WatchedRegion::claim(std::uint32_t slab) noexcept {
  std::atomic<Chunk>& state = chunk(slab);
  Chunk expected = Chunk::hidden;
  if (state.compare_exchange_strong(expected, Chunk::busy, std::memory_order_acq_rel)) return true;
  return expected == Chunk::wanted && state.compare_exchange_strong(expected, Chunk::busy, std::memory_order_acq_rel);
}

/// The memory of a slab that nobody owns and that holds nothing may be with the system, and zeros do as well.
void WatchedRegion::show(std::uint32_t index, Userfaultfd& pages) noexcept {
  Slab& slab = region().slab(index);
  if (!slab.is_empty() || slab.state.load() == Slab::State::owned) slots_.bring_back(index, pages);
  slots_.forget(index);
  chunk(index).store(Chunk::shown, std::memory_order_release);
  pages.wake(slab.begin(), slots_.slab_size());
}

void WatchedRegion::move(Userfaultfd& pages) {
  MOULT_FAULT("convert.access.move");
  if (slots_.move(pages)) return;
  throw Error(ErrorCode::system, region().pool().class_pools().object_class.readable +
                                     ": the kernel has no memory to move the pages of its objects aside; allow more "
                                     "mappings (vm.max_map_count), or use DataAccessor, immediate");
}

}  // namespace moult::internal
