// Objects of chunks that were accessed, which are to be visited or taken.
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
  /// A chunk's each, by descending addresses.
  using Batches = std::list<std::vector<Found>>;

  /// What lives in the slab of what the sources stand for, as a list of one, or of none. Throws std::bad_alloc.
  static Batches found_in(const Region& region, const Slab& slab, const std::vector<Source>& sources);

  void add(Batches batches) noexcept;
  /// Whoever waits looks for what was added.
  void notify() noexcept;
  /// There will be no more.
  void complete() noexcept;

  /// Whether all has been taken, and there will be no more.
  bool is_over() const noexcept;
  bool is_empty() const noexcept;
  /// The next object that lives still; null when there is none now.
  void* take() noexcept;
  /// The same; waits for one until the deadline, or until there will be no more.
  void* wait_for_next(std::chrono::steady_clock::time_point deadline) noexcept;
  /// A list of one, or of none.
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
