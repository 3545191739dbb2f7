#include "data/watched_region.hpp"

#include <cstring>
#include <utility>

#include "base/fault.hpp"
#include "data/class_pools.hpp"
#include "moult/error.hpp"
#include "platform/reserved_memory.hpp"

namespace moult::data {

WatchedRegion::WatchedRegion(Region& region, Aside aside)
    : region_(region),
      aside_(std::move(aside)),
      end_(region.slabs_end()),
      chunks_(std::make_unique<std::atomic<Chunk>[]>(end_ - first_slab())) {}

bool WatchedRegion::claim(std::uint32_t slab) noexcept {
  std::atomic<Chunk>& state = chunk(slab);
  Chunk expected = Chunk::hidden;
  if (state.compare_exchange_strong(expected, Chunk::busy, std::memory_order_acq_rel)) return true;
  return expected == Chunk::wanted && state.compare_exchange_strong(expected, Chunk::busy, std::memory_order_acq_rel);
}

/// The memory of a slab that nobody owns and that holds nothing may be with the system, and zeros do as well.
void WatchedRegion::show(std::uint32_t index, platform::Userfaultfd& pages) noexcept {
  Slab& slab = region_.slab(index);
  if (!slab.is_empty() || slab.state.load() == Slab::State::owned)
    pages.fill(slab.begin(), slab_size(), aside(slab.begin()));
  platform::discard(aside(slab.begin()), slab_size());
  chunk(index).store(Chunk::shown, std::memory_order_release);
  pages.wake(slab.begin(), slab_size());
}

void WatchedRegion::move(platform::Userfaultfd& pages) {
  MOULT_FAULT("data.access.move");
  pages.watch(begin(), size());
  if (platform::move_pages(begin(), aside(begin()), size())) return;
  pages.unwatch(begin(), size());
  throw Error(ErrorCode::system, region_.pool().class_pools().object_class.readable +
                                     ": the kernel has no memory to move the pages of its objects aside; allow more "
                                     "mappings (vm.max_map_count), or use DataAccessor, immediate");
}

void WatchedRegion::move_back(platform::Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  if (!platform::move_pages(aside(begin()), begin(), size())) std::memcpy(begin(), aside(begin()), size());
}

void WatchedRegion::release(platform::Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  aside_.give_back();
}

}  // namespace moult::data
