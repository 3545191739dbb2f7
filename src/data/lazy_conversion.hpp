// Conversion of all live objects of a class, each at the first use of the chunk that it lies in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "base/guarded.hpp"
#include "data/chunk_conversion.hpp"
#include "data/chunk_places.hpp"
#include "data/conversion.hpp"
#include "data/conversion_plan.hpp"
#include "data/moved_region.hpp"
#include "data/page_server.hpp"
#include "moult/detail/conversion.hpp"
#include "moult/lazy_update.hpp"

namespace moult::data {

/// What is left of it after the stop is safe in any thread.
class LazyConversion final : public Conversion, public std::enable_shared_from_this<LazyConversion> {
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
  void build(const threads::StoppedWorld& stopped) override;
  void discard() noexcept override;
  void exchange(const threads::StoppedWorld& stopped) noexcept override;
  void put_back(const threads::StoppedWorld& stopped) noexcept override;
  void end_olds(const threads::StoppedWorld& stopped) noexcept override;
  void go_on() noexcept override;
  void require_current() const override;
  std::string describe() const override;
  std::size_t count() const noexcept override { return converted_objects_; }

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
  void drain(const threads::StoppedWorld& stopped);
  LazyProgress progress() const noexcept;

  // What the page server calls, in work that no stop meets.
  bool contains(const std::byte* address) const noexcept;
  /// Sees to it that whoever waits for the page can go on. Throws std::bad_alloc.
  void resolve(const platform::MissingPage& missing);
  /// The same without converting anything, where transformers wait for one another too deep.
  void resolve_unconverted(const platform::MissingPage& missing);
  /// Whether the page's chunk is one to be converted in a stop.
  bool needs_stop(const std::byte* page) const noexcept;

  // What is called in a stop that is made for chunks, by who made it (chunk_stops.hpp).
  /// Converts the page's chunk, if it waits, in place. Throws std::bad_alloc.
  void convert_at(const std::byte* page);
  /// Shows it as it is, if it waits, until the stop is over.
  void show_at(const std::byte* page) noexcept;

  /// When the program runs again: names the objects that stay what they are.
  void tell() noexcept;

  /// The page's objects stay what they are. In a program that runs. Throws std::bad_alloc.
  void leave_at(const std::byte* page, const char* reason);
  /// All that wait stay what they are. True.
  bool leave_rest();

 private:
  using Place = ChunkPlaces<MovedRegion>::Place;
  /// A chunk that was converted before it was certain that it stays so.
  struct Revocable {
    MovedRegion* region = nullptr;
    std::uint32_t slab = 0;
    std::vector<ConvertedWord> words{};
  };
  using Revocables = std::list<Revocable>;

  ClassChangeOfObjects change() const noexcept { return {old_, new_, new_kind_, makes_}; }
  void plan(const threads::StoppedWorld& stopped);
  void refuse_third_class(const PoolChange& pool) const;
  void move_regions();
  void open_chunks() noexcept;
  void take_back() noexcept;
  const PoolChange& change_in(const MovedRegion& region) const noexcept;
  Place next_waiting() const noexcept;

  bool is_waiting(const Place& place) const noexcept;
  void resolve_in_stop(const Place& place, const platform::MissingPage& missing);
  void convert(const Place& place);
  void convert_in_place(const Place& place);
  void leave(const Place& place, const char* reason);
  void drain_in_stops();
  void drain_beside();
  void count(const ChunkConversion& chunk) noexcept;
  void warn_of(const Unconverted& failure, std::size_t number) const;
  void close(const Place& place) noexcept;
  void finish() noexcept;
  Revocables take_revocables() noexcept;
  void put_back(Revocable& chunk) noexcept;

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
  std::vector<Aside> reserved_;
  std::vector<PoolChange> changes_;
  ChunkPlaces<MovedRegion> regions_;  ///< from build on the same
  Guarded<Revocables> revocables_;
  Guarded<std::vector<Unconverted>> untold_;
  std::atomic<bool> is_certain_{false};  ///< nothing will be put back
  std::atomic<bool> is_finished_{false};
  std::atomic<bool> is_done_{false};
  std::atomic<std::size_t> chunks_{0};
  std::atomic<std::size_t> chunks_left_{0};  ///< that are not done
  std::atomic<std::size_t> converted_chunks_{0};
  std::atomic<std::size_t> objects_{0};
  std::atomic<std::size_t> converted_objects_{0};
  std::atomic<std::size_t> failed_objects_{0};
  std::atomic<std::size_t> told_objects_{0};
};

/// Converts what earlier conversions have left that have to do with pools which hold objects of the class, before
/// another one begins. Throws std::bad_alloc.
void finish_lazy_conversions(const ObjectClass& old_class);
/// The same in a stop. Throws Error (unsupported) as well, when one began in this very stop and may still be undone.
void finish_lazy_conversions(const ObjectClass& old_class, const threads::StoppedWorld& stopped);
/// Converts whatever conversions have left, of any class. Throws std::bad_alloc.
void finish_lazy_conversions();
/// The same in a stop; those that began in it may still be undone.
void finish_lazy_conversions(const threads::StoppedWorld& stopped);

}  // namespace moult::data
