// Conversion of all live objects of a class in one stop: build, exchange, and the ways back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/cells.hpp"
#include "data/class_pools.hpp"
#include "data/conversion_plan.hpp"
#include "moult/data_update.hpp"
#include "threads/stopped_world.hpp"

namespace moult::data {

/// One conversion of the objects of one class. The order: check, reserve while the program runs; build, exchange in the
/// stop; then either put_back or end_olds, in the same stop. Used by one thread.
class EagerConversion final {
 public:
  /// Throws Error when the classes are not two.
  EagerConversion(std::shared_ptr<detail::ObjectConverter> converter, Makes makes, Unwritten unwritten);
  ~EagerConversion();
  EagerConversion(const EagerConversion&) = delete;
  EagerConversion& operator=(const EagerConversion&) = delete;

  const ObjectClass& old_class() const noexcept { return old_; }
  const ObjectClass& new_class() const noexcept { return new_; }

  /// Throws Error (layout_mismatch) when the new objects do not fit the slots of a pool that holds old ones.
  void check() const;
  /// Takes memory for as many objects as live now, and some more. Throws std::bad_alloc.
  void reserve();

  /// Makes the new value of every old object. Throws what the transformer throws; Error: as check does; unsupported
  /// where a pool would hold objects of three classes, where nothing was written to an object yet, and when the
  /// transformer made or deleted objects of the class; still_active when a thread may be about to construct one.
  /// Nothing has changed then.
  void build(const threads::StoppedWorld& stopped);
  /// The same for one object; false when there is no pool in which an object of the old class is there.
  bool build_one(const threads::StoppedWorld& stopped, void* object);
  /// After build: the new values take the places of the old ones, whose bytes are kept.
  void exchange(const threads::StoppedWorld& stopped) noexcept;

  /// After exchange: every object is again what it was, byte by byte.
  void put_back(const threads::StoppedWorld& stopped) noexcept;
  /// After exchange: destroys the old values. There is no way back from here.
  void end_olds(const threads::StoppedWorld& stopped) noexcept;
  /// After build, instead of exchange.
  void discard() noexcept;
  /// Throws Error (unsupported) when what was converted is of yet another class by now.
  void require_current() const;
  /// Gives the memory back; not needed in the stop.
  void release() noexcept;

  /// Of objects converted.
  std::size_t count() const noexcept { return count_; }

 private:
  /// 64 slots, some of which hold objects to convert.
  struct Group {
    Slab* slab = nullptr;
    std::uint32_t word = 0;
    std::uint64_t live = 0;       ///< slots with objects of the portion
    std::uint64_t bits = 0;       ///< those converted
    std::uint64_t was_other = 0;  ///< of all, before
    std::byte* cells = nullptr;
  };
  struct Part : PoolChange {
    std::vector<Group> groups{};
  };
  enum class State { idle, built, exchanged, ended };

  ClassChangeOfObjects change() const noexcept { return {old_, new_, new_kind_, makes_}; }
  std::vector<Part> find_parts() const;
  void refuse_unmade(const threads::StoppedWorld& stopped) const;
  void refuse_unwritten(const Part& part, const Group& group) const;
  void take_snapshot(Part& part, const threads::StoppedWorld& stopped) const;
  void build_all();
  void build_group(Part& part, Group& group);
  void unbuild(std::size_t part_count, std::size_t group_count) noexcept;
  void refuse_changed(const threads::StoppedWorld& stopped) const;
  detail::ObjectBatch batch_of(const Part& part, const Group& group) const noexcept;
  template <class Act>
  void for_each_live_batch(Act&& act) noexcept;
  void forget() noexcept;

  std::shared_ptr<detail::ObjectConverter> converter_;
  detail::ObjectKind old_kind_;
  detail::ObjectKind new_kind_;
  const ObjectClass& old_;
  const ObjectClass& new_;
  Makes makes_;
  Unwritten unwritten_;
  Cells cells_;
  std::unique_ptr<std::byte[]> scratch_;
  std::size_t expected_groups_ = 0;
  std::vector<Part> parts_;
  std::vector<const Pool*> converted_;  ///< pools with objects that were
  std::size_t count_ = 0;
  State state_ = State::idle;
};

}  // namespace moult::data
