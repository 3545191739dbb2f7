// The regions of some pools, whose memory is moved aside in one stop.
#pragma once

#include <utility>
#include <vector>

#include "convert/slab_ranges.hpp"
#include "convert/evacuated_region.hpp"
#include "pools/pool.hpp"

namespace moult::internal {

/// A `Part` is made of a region and of the address space for what is moved: EvacuatedRegion, WatchedRegion. Used by one
/// thread; `places` says what else may be done with those that are there.
template <class Part>
class EvacuatedPools final {
 public:
  /// Takes address space for as many regions as the pool has, while the program runs. Throws std::bad_alloc.
  void reserve(Pool& pool) {
    pool.for_each_region([this](Region&) { reserved_.emplace_back(); });
  }

  /// In a stop: `move(part)` for each region of the pool that has slots. Throws what that throws, and std::bad_alloc;
  /// those before are moved then.
  template <class Move>
  void move(Pool& pool, Move&& move) {
    pool.for_each_region([&](Region& region) {
      if (region.slabs_end() == 0) return;
      if (reserved_.empty()) reserved_.emplace_back();
      Part& part = places_.add(region, std::move(reserved_.back()));
      reserved_.pop_back();
      try {
        move(part);
      } catch (...) {
        places_.drop_last();
        throw;
      }
    });
  }

  SlabRanges<Part>& places() noexcept { return places_; }
  const SlabRanges<Part>& places() const noexcept { return places_; }

 private:
  std::vector<EvacuationSpace> reserved_;
  SlabRanges<Part> places_;
};

}  // namespace moult::internal
