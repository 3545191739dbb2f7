#include "convert/accessed_objects.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace moult::internal {

AccessedObjects::Batches AccessedObjects::found_in(const Region& region, const Slab& slab,
                                                   const std::vector<Source>& sources) {
  std::vector<Found> found;
  for (const Source& source : sources) {
    if (source.pool != &region.pool()) continue;
    for (std::uint32_t word = 0; word < slab.words(); ++word)
      for (std::uint64_t left = slab.live(word, source.portion); left != 0; left &= left - 1)
        found.push_back(
            {slab.slot(word, static_cast<std::uint32_t>(std::countr_zero(left)), region.cut().slot_size), &source});
  }
  Batches one;
  if (found.empty()) return one;
  std::reverse(found.begin(), found.end());  // objects are taken from the back
  one.push_back(std::move(found));
  return one;
}

void AccessedObjects::add(Batches batches) noexcept {
  all_.with([&](All& all) { all.batches.splice(all.batches.end(), batches); });
}

void AccessedObjects::notify() noexcept { all_.notify(); }

void AccessedObjects::complete() noexcept {
  all_.with([](All& all) { all.is_complete = true; });
  all_.notify();
}

bool AccessedObjects::is_over() const noexcept {
  return all_.with([](const All& all) { return all.is_complete && all.batches.empty(); });
}

bool AccessedObjects::is_empty() const noexcept {
  return all_.with([](const All& all) { return all.batches.empty(); });
}

void* AccessedObjects::All::take() noexcept {
  while (!batches.empty()) {
    std::vector<Found>& batch = batches.front();
    while (!batch.empty()) {
      const Found next = batch.back();
      batch.pop_back();
      if (Region::of(next.slot).is_live(next.slot)) return next.object();
    }
    batches.pop_front();
  }
  return nullptr;
}

void* AccessedObjects::take() noexcept {
  return all_.with([](All& all) { return all.take(); });
}

void* AccessedObjects::wait_for_next(std::chrono::steady_clock::time_point deadline) noexcept {
  for (;;) {
    bool is_over = false;
    void* const object = all_.wait_until(
        deadline, [](const All& all) { return !all.batches.empty() || all.is_complete; },
        [&](All& all, bool is_ready) {
          is_over = !is_ready || all.is_complete;
          return all.take();
        });
    if (object != nullptr || is_over) return object;
  }
}

AccessedObjects::Batches AccessedObjects::take_batch() noexcept {
  Batches one;
  all_.with([&](All& all) {
    if (!all.batches.empty()) one.splice(one.end(), all.batches, all.batches.begin());
  });
  return one;
}

void AccessedObjects::drop() noexcept {
  Batches dropped;
  all_.with([&](All& all) { dropped.swap(all.batches); });
}

}  // namespace moult::internal
