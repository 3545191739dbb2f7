// Objects of a class, each once, as the program first accesses the chunk that it lies in.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/code_record.hpp"
#include "base/guarded.hpp"
#include "convert/access_server.hpp"
#include "convert/accessed_objects.hpp"
#include "convert/evacuated_pools.hpp"
#include "convert/watched_region.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/progressive_access.hpp"
#include "pools/live_objects.hpp"

namespace moult::internal {

/// After begin it is safe in any thread.
class ProgressiveAccess final : public detail::OpaqueProgressiveAccess,
                                public std::enable_shared_from_this<ProgressiveAccess> {
 public:
  /// Called in a stopped program. May throw.
  using Visit = HandedOver<std::function<void(void*)>>;

  /// Without a `visit` the objects are taken. After `options.timeout` whoever waits for a visit goes on without. Throws
  /// Error (unsupported) where there is no userfaultfd; std::bad_alloc.
  ProgressiveAccess(const ObjectClass& wanted, const Enumeration& options, Visit visit);

  /// Takes memory, while the program runs. Throws std::bad_alloc.
  void reserve();
  /// Throws Error: unsupported, system. Nothing has changed then.
  void begin(const StoppedWorld& stopped);

  /// The next accessed object, or null when there is no more and at the deadline.
  void* next(std::chrono::steady_clock::time_point deadline);
  /// The same, of all objects: what nobody has accessed is accessed now. Does not wait. Throws std::bad_alloc.
  void* take();

  /// Visits what is left, or has it ready to be taken. Throws Error (thread_unstoppable), std::bad_alloc.
  void finish(std::chrono::milliseconds timeout);
  /// The same in a stop.
  void finish(const StoppedWorld& stopped);
  /// Nobody waits any more; what is not visited yet is visited later. Waits for memory if need be.
  void let_go() noexcept;
  /// Nobody waits any more, and nothing is visited or to be taken.
  void end() noexcept;

  bool serves_kernel() const noexcept { return server_->pages().serves_kernel(); }
  /// Whether it has to do with pools that hold objects of the class.
  bool concerns(const ObjectClass& other) const noexcept;
  AccessProgress progress() const noexcept;
  std::string describe() const;

  // What the server's threads call.
  bool contains(const std::byte* address) const noexcept;
  bool has_visitor() const noexcept { return has_visitor_; }
  /// Sees to it that whoever waits for the page can go on: now, or when visit_wanted was called. Throws std::bad_alloc.
  void resolve(const MissingPage& missing);
  /// Visits what somebody waits for, and what could not be visited in time. True when there is no more of it. Throws
  /// std::bad_alloc.
  bool visit_wanted();

 private:
  using Chunk = WatchedRegion::Chunk;
  using Place = SlabRanges<WatchedRegion>::Place;
  using Batches = AccessedObjects::Batches;

  void refuse_others() const;
  void move_regions();
  void move_back() noexcept;
  Place next_hidden() const noexcept;
  Batches objects_in(const Place& place) const;
  bool show(const Place& place);
  void want(const Place& place);
  void count_shown() noexcept;
  void release() noexcept;
  bool visit_one_chunk(const StoppedWorld& stopped);
  void visit_next(const StoppedWorld& stopped, std::chrono::microseconds most);
  void show_and_visit(const Place& place, const StoppedWorld& stopped);
  void let_wanted_go();
  void visit(const Batches& batches, const StoppedWorld& stopped);
  void let_visitor_go() noexcept;
  void let_visitor_go_if_done() noexcept;

  std::shared_ptr<AccessServer> server_;
  const ObjectClass& wanted_;
  Enumeration options_;
  const bool has_visitor_;
  Visit visit_;  ///< called in stops; empty when there is nothing to visit any more
  std::atomic<bool> is_visiting_{false};
  std::vector<Source> sources_;        ///< from begin on the same
  EvacuatedPools<WatchedRegion> regions_;  ///< from begin on the same
  AccessedObjects accessed_;
  Guarded<std::deque<Place>> wanted_chunks_;
  std::atomic<bool> has_ended_{false};  ///< by end()
  std::atomic<bool> is_released_{false};
  std::atomic<std::size_t> chunks_{0};
  std::atomic<std::size_t> chunks_left_{0};  ///< of which not all is done
  std::atomic<std::size_t> shown_{0};        ///< chunks, counted before anybody sees them
  std::atomic<std::size_t> objects_{0};
  std::atomic<std::size_t> yielded_{0};
  std::atomic<std::size_t> thrown_{0};  ///< visits
};

}  // namespace moult::internal
