// Evacuated regions whose slabs several threads work off, each slab once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace moult::internal {

/// A `Range` covers the first slabs of a pool's region: EvacuatedRegion, WatchedRegion. One thread adds and drops
/// ranges, in a stop. The const functions are safe in any thread.
template <class Range>
class SlabRanges final {
 public:
  struct Place {
    Range* region = nullptr;
    std::uint32_t slab = 0;
  };

  /// The range keeps its address. Throws std::bad_alloc, and what the constructor throws.
  template <class... Args>
  Range& add(Args&&... args) {
    return ranges_.emplace_back(std::forward<Args>(args)...);
  }
  void drop_last() noexcept { ranges_.pop_back(); }
  void clear() noexcept { ranges_.clear(); }

  auto begin() const noexcept { return ranges_.begin(); }
  auto end() const noexcept { return ranges_.end(); }

  bool contains(const std::byte* address) const noexcept { return find(address) != end(); }
  /// The slab around an address that one of the ranges contains.
  Place of(const std::byte* address) const noexcept {
    Range& range = *find(address);
    return {&range, range.region().index_of(address)};
  }

  std::size_t slab_count() const noexcept {
    std::size_t slabs = 0;
    for (const Range& range : ranges_) slabs += range.slabs_end();
    return slabs;
  }

  /// The first slab for which `is_left(place)` holds; no region when there is none. Other threads may take the same
  /// slab meanwhile. A slab for which it did not hold once is not asked for again.
  template <class IsLeft>
  Place first(IsLeft&& is_left) const noexcept {
    std::size_t before = 0;
    for (Range& range : ranges_) {
      const std::size_t count = range.slabs_end();
      // A slower thread may have set the mark back, to before this range.
      for (std::size_t number = std::max<std::size_t>(passed_, before); number < before + count; ++number) {
        const Place place{&range, static_cast<std::uint32_t>(number - before)};
        if (is_left(place)) return place;
        passed_ = number + 1;
      }
      before += count;
    }
    return {};
  }

 private:
  auto find(const std::byte* address) const noexcept {
    return std::find_if(ranges_.begin(), ranges_.end(),
                        [address](const Range& each) { return each.contains(address); });
  }

  mutable std::deque<Range> ranges_;
  mutable std::atomic<std::size_t> passed_{0};  ///< no slab before this one is left, counted over all ranges
};

}  // namespace moult::internal
