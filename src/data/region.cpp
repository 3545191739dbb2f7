#include "data/region.hpp"

#include <algorithm>

#include "platform/poison.hpp"
#include "platform/reserved_memory.hpp"

namespace moult::data {
namespace {

/// Committed at once: few system calls, and little that is promised in vain.
constexpr std::size_t commit_step = std::size_t{2} << 20;

}  // namespace

Region::Region(Pool& pool, const Geometry& cut) noexcept
    : cut_(cut), pool_(pool), slabs_end_(cut.first_slab), committed_(cut.first_slab * cut.slab_size()) {}

Region* Region::make(Pool& pool, const Geometry& cut) noexcept {
  std::byte* begin = platform::reserve(region_size, region_size);
  if (begin == nullptr) return nullptr;
  if (!platform::commit(begin, cut.first_slab * cut.slab_size())) {
    platform::unreserve(begin, region_size);
    return nullptr;
  }
  platform::add_roots(begin, region_size);
  return new (begin) Region(pool, cut);
}

Slab* Region::add_slab() noexcept {
  std::uint32_t index = slabs_end();
  if (index == cut_.slabs) return nullptr;
  std::byte* begin = begin_of(index);
  std::size_t end = (index + std::size_t{1}) * cut_.slab_size();
  if (std::size_t committed = committed_; end > committed) {
    std::size_t size = std::min(std::max(commit_step, cut_.slab_size()), region_size - committed);
    if (!platform::commit(reinterpret_cast<std::byte*>(address() + committed), size)) return nullptr;
    committed_ = committed + size;
  }
  platform::poison(begin, cut_.slab_size());
  Slab* slab = new (&this->slab(index)) Slab(begin, cut_);
  slabs_end_.store(index + 1, std::memory_order_release);
  return slab;
}

}  // namespace moult::data
