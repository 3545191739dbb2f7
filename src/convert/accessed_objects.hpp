// The objects of accessed slabs, queued to be visited or taken.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <vector>

#include "base/guarded.hpp"
#include "pools/live_objects.hpp"
#include "pools/region.hpp"

namespace moult::internal {

/// Safe in any thread.
class AccessedObjects final {
 public:
  struct Found {
    std::byte* slot = nullptr;
    const Source* source = nullptr;
    void* object() const noexcept { return slot + source->offset; }
  };
  /// One batch for each slab, by descending addresses.
  using Batches = std::list<std::vector<Found>>;

  /// The slab's live objects that the sources describe: a list of one batch, or of none. Throws std::bad_alloc.
  static Batches found_in(const Region& region, const Slab& slab, const std::vector<Source>& sources);

  void add(Batches batches) noexcept;
  /// Wakes threads in wait_for_next, after add.
  void notify() noexcept;
  /// No object will be added any more.
  void complete() noexcept;

  /// Whether all objects have been taken, and no more will be added.
  bool is_over() const noexcept;
  bool is_empty() const noexcept;
  /// The next object that is still live; null when there is none now.
  void* take() noexcept;
  /// Like take, but waits for an object until the deadline, or until no more will be added.
  void* wait_for_next(std::chrono::steady_clock::time_point deadline) noexcept;
  /// A list of one batch, or of none.
  Batches take_batch() noexcept;
  void drop() noexcept;

 private:
  struct All {
    Batches batches{};
    bool is_complete = false;

    void* take() noexcept;
  };

  Guarded<All> all_;
};

}  // namespace moult::internal
