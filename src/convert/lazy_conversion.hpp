// Conversion of all live objects of a class, each at the first access to its slab.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "convert/conversion.hpp"
#include "convert/conversion_plan.hpp"
#include "convert/evacuated_region.hpp"
#include "convert/lazy_progress.hpp"
#include "convert/slab_conversion.hpp"
#include "convert/slab_stops.hpp"
#include "convert/undo_log.hpp"
#include "convert/wait_for_graph.hpp"
#include "moult/detail/conversion.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/lazy_update.hpp"
#include "watch/fault_handler.hpp"

namespace moult::internal {

struct LazyService;

/// After the stop every public function is safe in any thread.
class LazyConversion final : public Conversion,
                             public FaultSink,
                             public SlabOwner,
                             public detail::OpaqueLazyConversion,
                             public std::enable_shared_from_this<LazyConversion> {
 public:
  struct Options {
    Makes makes = Makes::old_objects;
    Unwritten unwritten = Unwritten::refused;
    Untouched untouched = Untouched::left;
    Manner manner = Manner::in_place;
  };

  /// Throws std::bad_alloc, and Error:
  /// invalid_argument: both classes have one name
  /// unsupported: there is no userfaultfd
  LazyConversion(std::shared_ptr<detail::ObjectConverter> converter, const Options& options);

  const ObjectClass& old_class() const noexcept override { return old_; }
  const ObjectClass& new_class() const noexcept override { return new_; }
  void check() const override;
  void reserve() override;
  void build(const StoppedWorld& stopped) override;
  void discard() noexcept override { take_back(); }
  void exchange(const StoppedWorld& stopped) noexcept override;
  void put_back(const StoppedWorld&) noexcept override { take_back(); }
  void end_olds(const StoppedWorld& stopped) noexcept override;
  void go_on() noexcept override;
  void require_current() const override;
  std::string describe() const override;
  std::size_t count() const noexcept override { return counts_.converted(); }

  /// Whether a system call that is given the address of a pending object waits for its conversion, instead of failing.
  bool serves_kernel() const noexcept;
  /// Whether a background thread converts objects that the program does not use.
  bool is_drained() const noexcept { return untouched_ == Untouched::drained; }
  /// The manner that its classes demand. While one conversion is in place, all convert in place.
  Manner manner() const noexcept { return manner_; }
  /// Whether it concerns objects of the class, or pools that hold some.
  bool concerns(const ObjectClass& other) const noexcept;

  /// Converts the pending slabs one by one in the calling thread. Returns when all slabs are done, whichever thread did
  /// them. Throws std::bad_alloc; Error (thread_unstoppable) where slabs are converted in place.
  void drain();
  /// The same in a stop.
  void drain(const StoppedWorld& stopped);
  LazyProgress progress() const noexcept { return counts_.progress(is_done_); }

  /// All conversions of the process that are not done, or may still be undone. Throws std::bad_alloc.
  static std::vector<std::shared_ptr<LazyConversion>> unfinished();

  // Called by the fault handler.
  bool contains(const std::byte* page) const noexcept override { return regions_.slabs().contains(page); }
  void resolve(Fault fault) override;

 private:
  friend LazyService;
  using Place = SlabRanges<EvacuatedRegion>::Place;

  // Called for the stops that convert in place.
  void convert_at(const std::byte* page) override {
    if (!is_done_) convert_in_place(place_of(page));
  }
  void map_at(const std::byte* page) noexcept override;
  void leave_at(const std::byte* page, const char* reason) override {
    if (!is_done_) leave(place_of(page), reason);
  }
  void report() noexcept override { report_.write(); }

  ClassChangeOfObjects change() const noexcept { return {old_, new_, new_kind_, makes_}; }
  void plan(const StoppedWorld& stopped);
  void evacuate_regions();
  void open_slabs() noexcept;
  void warn_of_rest(const char* why) const noexcept;
  void take_back() noexcept;
  const PoolChange& change_in(const EvacuatedRegion& region) const noexcept;
  Place place_of(const std::byte* page) const noexcept { return regions_.slabs().of(page); }
  Place next_pending() const noexcept;
  bool is_pending(const Place& place) const noexcept;

  bool needs_own_stop(const Place& place, pid_t task) const noexcept;
  void resolve_here(const Place& place, const MissingPage& missing);
  void resolve_in_stop(const Place& place, const MissingPage& missing);
  void convert(const Place& place);
  void convert_in_place(const Place& place);
  void leave(const Place& place, const char* reason);
  void leave_rest();
  void drain_before_fork() noexcept;
  void drain_in_stops();
  void drain_beside();
  void count(const SlabConversion& slab) noexcept;
  UndoLog::Entries entry_if_undoable(const Place& place) const;
  static SlabConversion::Olds olds_of(const UndoLog::Entries& entry) noexcept;
  void settle(const Place& place, SlabConversion& conversion, UndoLog::Entries entry) noexcept;
  void close(const Place& place) noexcept;
  void finish() noexcept;

  std::shared_ptr<LazyService> service_;
  std::shared_ptr<detail::ObjectConverter> converter_;
  detail::ObjectKind old_kind_;
  detail::ObjectKind new_kind_;
  const ObjectClass& old_;
  const ObjectClass& new_;
  Makes makes_;
  Unwritten unwritten_;
  Untouched untouched_;
  Manner manner_;
  std::vector<PoolChange> changes_;
  EvacuatedPools<EvacuatedRegion> regions_;  ///< does not change after build
  UndoLog undo_log_;
  UnconvertedReport report_;
  std::atomic<bool> is_certain_{false};  ///< it can no longer be undone
  std::atomic<bool> is_finished_{false};
  std::atomic<bool> is_done_{false};
  LazyCounts counts_;
};

/// Converts the pending objects in pools that hold objects of the class, before another conversion begins. Throws
/// std::bad_alloc.
void finish_lazy_conversions(const ObjectClass& old_class);
/// The same in a stop. Throws Error (unsupported) too, when a conversion began in this stop and may still be undone.
void finish_lazy_conversions(const ObjectClass& old_class, const StoppedWorld& stopped);
/// Converts all pending objects, of any class. Throws std::bad_alloc.
void finish_lazy_conversions();
/// The same in a stop. Conversions that began in it may still be undone.
void finish_lazy_conversions(const StoppedWorld& stopped);

}  // namespace moult::internal
