// The regions whose chunks are gone through one by one, each chunk once, by several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace moult::internal {

/// A `Part` of a pool knows which addresses lie in it and which slabs it has: EvacuatedRegion, WatchedRegion. Regions are
/// added and dropped by one thread, in a stop; what is const is safe in any thread beside the others.
template <class Part>
class SlabRanges final {
 public:
  struct Place {
    Part* region = nullptr;
    std::uint32_t slab = 0;
  };

  /// It stays where it is. Throws std::bad_alloc, and what the constructor throws.
  template <class... Args>
  Part& add(Args&&... args) {
    return regions_.emplace_back(std::forward<Args>(args)...);
  }
  void drop_last() noexcept { regions_.pop_back(); }
  void clear() noexcept { regions_.clear(); }

  auto begin() const noexcept { return regions_.begin(); }
  auto end() const noexcept { return regions_.end(); }

  bool contains(const std::byte* address) const noexcept { return find(address) != end(); }
  /// Of an address that one of them contains.
  Place of(const std::byte* address) const noexcept {
    Part& region = *find(address);
    return {&region, region.region().index_of(address)};
  }

  std::size_t slab_count() const noexcept {
    std::size_t chunks = 0;
    for (const Part& region : regions_) chunks += region.slabs_end();
    return chunks;
  }

  /// The first chunk for which `is_left(place)`, as far as one can tell while others are at it; none: no region. A
  /// chunk that was not left once is not looked at again.
  template <class IsLeft>
  Place first(IsLeft&& is_left) const noexcept {
    std::size_t before = 0;
    for (Part& region : regions_) {
      const std::size_t count = region.slabs_end();
      // Another thread that is further behind may have set the mark back.
      for (std::size_t number = std::max<std::size_t>(passed_, before); number < before + count; ++number) {
        const Place place{&region, static_cast<std::uint32_t>(number - before)};
        if (is_left(place)) return place;
        passed_ = number + 1;
      }
      before += count;
    }
    return {};
  }

 private:
  auto find(const std::byte* address) const noexcept {
    return std::find_if(regions_.begin(), regions_.end(),
                        [address](const Part& each) { return each.contains(address); });
  }

  mutable std::deque<Part> regions_;
  mutable std::atomic<std::size_t> passed_{0};  ///< no chunk before this one is left, counted over all regions
};

}  // namespace moult::internal
