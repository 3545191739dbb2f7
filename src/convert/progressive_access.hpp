// The objects of a class, each once, when the program first accesses the slab of memory that it lies in.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/code_record.hpp"
#include "base/guarded.hpp"
#include "convert/accessed_objects.hpp"
#include "convert/evacuated_region.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/progressive_access.hpp"
#include "pools/live_objects.hpp"
#include "watch/fault_handler.hpp"

namespace moult::internal {

struct AccessService;

/// The slots of one region. From evacuate to release no thread accesses a slot of a slab that is not mapped: a thread
/// that does waits. Mapped objects are always at their own addresses.
class WatchedRegion final {
 public:
  enum class State : std::uint8_t {
    unmapped,  ///< the pages are evacuated
    wanted,    ///< unmapped, and a thread waits for the visit of its objects
    busy,      ///< a thread brings the pages back
    mapped,
  };

  /// Covers the slabs that have been used by now. Throws std::bad_alloc.
  WatchedRegion(Region& region, EvacuationSpace space);
  WatchedRegion(WatchedRegion&&) noexcept = default;

  Region& region() const noexcept { return slots_.region(); }
  std::uint32_t slabs_end() const noexcept { return slots_.slabs_end(); }
  bool contains(const std::byte* address) const noexcept { return slots_.contains(address); }

  std::atomic<State>& state(std::uint32_t slab) const noexcept { return states_[slab]; }
  /// Makes an unmapped or wanted slab busy; false when it is neither.
  bool claim(std::uint32_t slab) noexcept;
  /// Brings the pages of a busy slab back, and wakes the threads that wait for them.
  void map(std::uint32_t slab, Userfaultfd& pages) noexcept;

  /// In a stop. Throws Error (system); nothing has moved then.
  void evacuate(Userfaultfd& pages);
  /// In the same stop, before any slab is mapped.
  void restore(Userfaultfd& pages) noexcept { slots_.restore(pages); }
  /// After all slabs are mapped: the memory is ordinary again.
  void release(Userfaultfd& pages) noexcept { slots_.release(pages); }

 private:
  EvacuatedRegion slots_;
  std::unique_ptr<std::atomic<State>[]> states_;
};

/// Safe in any thread after begin.
class ProgressiveAccess final : public detail::OpaqueProgressiveAccess,
                                public FaultSink,
                                public std::enable_shared_from_this<ProgressiveAccess> {
 public:
  /// Called in a stopped program. May throw.
  using Visit = HandedOver<std::function<void(void*)>>;

  /// Without `visit` the objects are queued, to be taken. With it, a thread that waits for a visit goes on without one
  /// after `options.timeout`. Throws Error (unsupported) where there is no userfaultfd; std::bad_alloc.
  ProgressiveAccess(const ObjectClass& wanted, const Enumeration& options, Visit visit);

  /// Takes memory, while the program runs. Throws std::bad_alloc.
  void reserve();
  /// Throws Error: unsupported, system. Nothing has changed then.
  void begin(const StoppedWorld& stopped);

  /// The next accessed object; null when there will be no more, and at the deadline.
  void* next(std::chrono::steady_clock::time_point deadline);
  /// The next of all objects: accesses one itself when no accessed object is queued. Does not wait for the program.
  /// Throws std::bad_alloc.
  void* take();

  /// Visits the remaining objects, or queues them. Throws Error (thread_unstoppable), std::bad_alloc.
  void finish(std::chrono::milliseconds timeout);
  /// The same in a stop.
  void finish(const StoppedWorld& stopped);
  /// Maps all slabs, so that no thread waits. Their objects are visited later. Waits for memory if need be.
  void map_all() noexcept;
  /// Maps all slabs, and neither visits nor queues their objects.
  void end() noexcept;

  bool serves_kernel() const noexcept;
  /// Whether it concerns pools that hold objects of the class.
  bool concerns(const ObjectClass& other) const noexcept;
  AccessProgress progress() const noexcept;
  std::string describe() const;

  /// All accesses of the process that have not ended. Throws std::bad_alloc.
  static std::vector<std::shared_ptr<ProgressiveAccess>> unfinished();

  // Called by the fault handler.
  bool contains(const std::byte* page) const noexcept override;
  void resolve(Fault fault) override;

 private:
  using State = WatchedRegion::State;
  using Place = SlabRanges<WatchedRegion>::Place;
  using Batches = AccessedObjects::Batches;

  void refuse_others() const;
  void evacuate_regions();
  void restore() noexcept;
  Place next_unmapped() const noexcept;
  Batches objects_in(const Place& place) const;
  void resolve_at(const Place& place, const MissingPage& missing);
  bool map(const Place& place);
  void want(const Place& place);
  void count_mapped() noexcept;
  void release() noexcept;
  bool visit_wanted();
  bool visit_one_slab(const StoppedWorld& stopped);
  void visit_next(const StoppedWorld& stopped, std::chrono::microseconds most);
  void map_and_visit(const Place& place, const StoppedWorld& stopped);
  void let_wanted_go();
  void visit(const Batches& batches, const StoppedWorld& stopped);
  void let_visitor_go() noexcept;
  void let_visitor_go_if_done() noexcept;

  std::shared_ptr<AccessService> service_;
  const ObjectClass& wanted_;
  Enumeration options_;
  const bool has_visitor_;
  Visit visit_;  ///< called in stops; empty when nothing is left to visit
  std::atomic<bool> is_visiting_{false};
  std::vector<Source> sources_;            ///< does not change after begin
  EvacuatedPools<WatchedRegion> regions_;  ///< does not change after begin
  AccessedObjects accessed_;
  Guarded<std::deque<Place>> wanted_slabs_;
  std::atomic<bool> has_ended_{false};  ///< by end()
  std::atomic<bool> is_released_{false};
  std::atomic<std::size_t> slabs_{0};
  std::atomic<std::size_t> slabs_left_{0};  ///< slabs that are not mapped yet
  std::atomic<std::size_t> mapped_{0};      ///< slabs, counted before any thread sees them
  std::atomic<std::size_t> objects_{0};
  std::atomic<std::size_t> yielded_{0};
  std::atomic<std::size_t> thrown_{0};  ///< visits
};

/// Before all objects of the class are converted: visits the remaining objects of progressive accesses to its pools, or
/// makes them ready to be taken. Throws Error (thread_unstoppable), std::bad_alloc.
void finish_progressive_accesses(const ObjectClass& converted);
/// The same in a stop.
void finish_progressive_accesses(const ObjectClass& converted, const StoppedWorld& stopped);

}  // namespace moult::internal
