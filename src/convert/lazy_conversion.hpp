// Conversion of all live objects of a class, each at the first use of the chunk that it lies in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "convert/slab_conversion.hpp"
#include "convert/conversion.hpp"
#include "convert/conversion_plan.hpp"
#include "convert/evacuated_pools.hpp"
#include "convert/lazy_counts.hpp"
#include "convert/page_server.hpp"
#include "convert/unconverted_report.hpp"
#include "convert/undo_log.hpp"
#include "moult/detail/conversion.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/lazy_update.hpp"

namespace moult::internal {

/// What is left of it after the stop is safe in any thread.
class LazyConversion final : public Conversion,
                             public detail::OpaqueLazyConversion,
                             public std::enable_shared_from_this<LazyConversion> {
 public:
  struct Options {
    Makes makes = Makes::old_objects;
    Unwritten unwritten = Unwritten::refused;
    Untouched untouched = Untouched::left;
    Manner manner = Manner::in_place;
  };

  /// Throws Error: invalid_argument when the classes are not two; unsupported where there is no userfaultfd;
  /// std::bad_alloc.
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

  /// Whether system calls that are given the address of an object wait for its conversion, too, instead of failing.
  bool serves_kernel() const noexcept { return server_->pages().serves_kernel(); }
  /// Whether a thread converts what nobody uses.
  bool is_drained() const noexcept { return untouched_ == Untouched::drained; }
  /// How it has to convert at least.
  Manner manner() const noexcept { return manner_; }
  /// Whether it has to do with objects of the class, or with pools that hold some.
  bool concerns(const ObjectClass& other) const noexcept;

  /// Converts what is left, chunk by chunk, in the calling thread; returns when all is done, by whomever. Throws
  /// std::bad_alloc; Error (thread_unstoppable) where chunks are converted in place.
  void drain();
  /// The same in a stop.
  void drain(const StoppedWorld& stopped);
  LazyProgress progress() const noexcept { return counts_.progress(is_done_); }

  // What the page server calls, in work that no stop meets.
  bool contains(const std::byte* address) const noexcept { return regions_.places().contains(address); }
  /// Sees to it that whoever waits for the page can go on. Throws std::bad_alloc.
  void resolve(const MissingPage& missing);
  /// The same without converting anything, where transformers wait for one another too deep.
  void resolve_unconverted(const MissingPage& missing);
  /// Whether the page's chunk is one to be converted in a stop.
  bool needs_stop(const std::byte* page) const noexcept;

  // What is called in a stop that is made for chunks, by who made it (slab_stops.hpp). That somebody waits for a page
  // may have been told before this conversion ended: what waits there by now is another one's.
  /// Converts the page's chunk, if it waits, in place. Throws std::bad_alloc.
  void convert_at(const std::byte* page) {
    if (!is_done_) convert_in_place(place_of(page));
  }
  /// Shows it as it is, if it waits, until the stop is over.
  void show_at(const std::byte* page) noexcept;

  /// When the program runs again: names the objects that stay what they are.
  void tell() noexcept { report_.tell(); }

  /// The page's objects stay what they are. In a program that runs, in work that no stop meets. Throws std::bad_alloc.
  void leave_at(const std::byte* page, const char* reason) {
    if (!is_done_) leave(place_of(page), reason);
  }
  /// All that wait stay what they are. True.
  bool leave_rest();

 private:
  using Place = SlabRanges<EvacuatedRegion>::Place;
  using Revocables = UndoLog::Chunks;

  ClassChangeOfObjects change() const noexcept { return {old_, new_, new_kind_, makes_}; }
  void plan(const StoppedWorld& stopped);
  void move_regions();
  void open_chunks() noexcept;
  void take_back() noexcept;
  const PoolChange& change_in(const EvacuatedRegion& region) const noexcept;
  Place place_of(const std::byte* page) const noexcept { return regions_.places().of(page); }
  Place next_waiting() const noexcept;

  bool is_waiting(const Place& place) const noexcept;
  void resolve_in_stop(const Place& place, const MissingPage& missing);
  void convert(const Place& place);
  void convert_in_place(const Place& place);
  void leave(const Place& place, const char* reason);
  void drain_in_stops();
  void drain_beside();
  void count(const SlabConversion& chunk) noexcept;
  Revocables revocable_if_need_be(const Place& place) const;
  static SlabConversion::Olds olds_of(const Revocables& revocable) noexcept;
  void settle(const Place& place, SlabConversion& chunk, Revocables revocable) noexcept;
  void close(const Place& place) noexcept;
  void finish() noexcept;

  std::shared_ptr<PageServer> server_;
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
  EvacuatedPools<EvacuatedRegion> regions_;  ///< from build on the same
  UndoLog revocables_;
  UnconvertedReport report_;
  std::atomic<bool> is_certain_{false};  ///< nothing will be put back
  std::atomic<bool> is_finished_{false};
  std::atomic<bool> is_done_{false};
  LazyCounts counts_;
};

}  // namespace moult::internal
