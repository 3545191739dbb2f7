#include "data/moved_region.hpp"

#include <new>
#include <utility>

#include "platform/poison.hpp"
#include "platform/reserved_memory.hpp"

namespace moult::data {

Aside::Aside() : begin_(platform::reserve(region_size, region_size)) {
  if (begin_ == nullptr) throw std::bad_alloc();
  platform::add_roots(begin_, region_size);
}

Aside::Aside(Aside&& other) noexcept : begin_(std::exchange(other.begin_, nullptr)) {}

Aside::~Aside() { give_back(); }

void Aside::give_back() noexcept {
  if (begin_ == nullptr) return;
  platform::remove_roots(begin_, region_size);
  platform::unreserve(std::exchange(begin_, nullptr), region_size);
}

MovedRegion::MovedRegion(Region& region, Aside aside) noexcept
    : region_(region), aside_(std::move(aside)), end_(region.slabs_end()) {}

bool MovedRegion::move(platform::Userfaultfd& pages) {
  if (!platform::move_pages(begin(), aside(begin()), size())) return false;
  try {
    // Not before: what is watched is moved page by page, and by whole page directories otherwise.
    pages.watch(begin(), size());
    platform::discard(begin(), size());  // what a worker of the kernel, which no stop holds, has put there in between
  } catch (...) {
    move_back();
    throw;
  }
  return true;
}

void MovedRegion::move_back() noexcept {
  if (!platform::move_pages(aside(begin()), begin(), size())) platform::copy_unchecked(begin(), aside(begin()), size());
}

void MovedRegion::move_back(platform::Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  move_back();
}

void MovedRegion::show(std::uint32_t slab, platform::Userfaultfd& pages) noexcept {
  const std::byte* begin = region_.slab(slab).begin();
  pages.fill(region_.slab(slab).begin(), slab_size(), aside(begin));
}

void MovedRegion::show_silently(std::uint32_t slab, platform::Userfaultfd& pages) noexcept {
  const std::byte* begin = region_.slab(slab).begin();
  pages.fill_silently(region_.slab(slab).begin(), slab_size(), aside(begin));
}

void MovedRegion::hide(std::uint32_t slab) noexcept {
  std::byte* begin = region_.slab(slab).begin();
  platform::copy_unchecked(aside(begin), begin, slab_size());
  platform::discard(begin, slab_size());
}

void MovedRegion::forget(std::uint32_t slab) noexcept {
  platform::discard(aside(region_.slab(slab).begin()), slab_size());
}

void MovedRegion::release(platform::Userfaultfd& pages) noexcept {
  pages.unwatch(begin(), size());
  aside_.give_back();
}

}  // namespace moult::data
