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
#include "data/conversion.hpp"
#include "data/conversion_plan.hpp"
#include "moult/data_update.hpp"
#include "threads/stopped_world.hpp"

namespace moult::data {

/// Used by one thread.
class EagerConversion final : public Conversion {
 public:
  /// Throws Error when the classes are not two.
  EagerConversion(std::shared_ptr<detail::ObjectConverter> converter, Makes makes, Unwritten unwritten);
  ~EagerConversion() override;

  const ObjectClass& old_class() const noexcept override { return old_; }
  const ObjectClass& new_class() const noexcept override { return new_; }
  void check() const override;
  void reserve() override;
  /// Throws also Error (unsupported) where nothing was written to an object yet, and when the transformer made or
  /// deleted objects of the class.
  void build(const threads::StoppedWorld& stopped) override;
  /// The same for one object; false when there is no pool in which an object of the old class is there.
  bool build_one(const threads::StoppedWorld& stopped, void* object);
  void discard() noexcept override;
  void exchange(const threads::StoppedWorld& stopped) noexcept override;
  void put_back(const threads::StoppedWorld& stopped) noexcept override;
  void end_olds(const threads::StoppedWorld& stopped) noexcept override;
  void go_on() noexcept override;
  void require_current() const override;
  std::string describe() const override;
  std::size_t count() const noexcept override { return count_; }

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
