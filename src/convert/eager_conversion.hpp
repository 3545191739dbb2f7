// Conversion of all live objects of a class in one stop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "convert/conversion.hpp"
#include "convert/conversion_plan.hpp"
#include "convert/conversion_workers.hpp"
#include "convert/staging_area.hpp"
#include "moult/data_update.hpp"
#include "pools/class_pools.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Used by one thread.
class EagerConversion final : public Conversion {
 public:
  /// `pools`: the class in all of whose pools, those for subclasses included, the objects are among others, when an
  /// edit changes them. Else null.
  EagerConversion(std::shared_ptr<detail::ObjectConverter> converter, Makes makes, Unwritten unwritten,
                  Transformers transformers = Transformers::one_at_a_time, const ObjectClass* pools = nullptr);
  ~EagerConversion() override;

  const ObjectClass& old_class() const noexcept override { return old_; }
  const ObjectClass& new_class() const noexcept override { return new_; }
  void check() const override;
  void reserve() override;
  /// Throws Error (unsupported) also for an object to which nothing was written since `new`, and when the transformer
  /// made or deleted objects of the class.
  void build(const StoppedWorld& stopped) override;
  /// The same for one object; false when no object of the old class begins there in a pool.
  bool build_one(const StoppedWorld& stopped, void* object);
  void discard() noexcept override;
  void exchange(const StoppedWorld& stopped) noexcept override;
  void put_back(const StoppedWorld& stopped) noexcept override;
  void end_olds(const StoppedWorld& stopped) noexcept override;
  void go_on() noexcept override;
  void require_current() const override;
  std::string describe() const override;
  std::size_t count() const noexcept override { return count_; }

 private:
  /// 64 slots, some of them with objects to convert.
  struct Group {
    Slab* slab = nullptr;
    std::uint32_t word = 0;
    bool is_built = false;
    std::uint64_t live = 0;       ///< slots with objects to convert
    std::uint64_t bits = 0;       ///< slots of converted objects
    std::uint64_t was_other = 0;  ///< the slots' `other` bits before
    std::byte* cells = nullptr;
  };
  struct Part : PoolChange {
    std::vector<Group> groups{};
  };
  enum class State { idle, built, exchanged, ended };

  ClassChangeOfObjects change() const noexcept { return {old_, new_, new_kind_, makes_}; }
  std::uint64_t steps_each() const noexcept { return converter_->is_in_place() ? 1 : 2; }
  std::vector<Part> find_parts() const;
  std::vector<Part> find_parts_of_edit() const;
  void refuse_under_construction(const StoppedWorld& stopped) const;
  void refuse_unwritten(const Part& part, const Group& group) const;
  void take_snapshot(Part& part, const StoppedWorld& stopped) const;
  void build_all();
  void build_group(const Part& part, Group& group, std::byte* cells);
  void build_some(const Part& part, std::span<Group> groups);
  std::byte* take_cells(std::span<const Group> groups);
  void unbuild() noexcept;
  void show_progress();
  template <class Act>
  void share_out(Act&& act) noexcept;
  void refuse_changed(const StoppedWorld& stopped) const;
  detail::ObjectBatch batch_of(const Part& part, const Group& group) const noexcept;
  template <class Act>
  void for_each_live_batch(Act&& act) noexcept;
  void forget() noexcept;

  std::shared_ptr<detail::ObjectConverter> converter_;
  detail::ObjectKind old_kind_;
  detail::ObjectKind new_kind_;
  const ObjectClass& old_;
  const ObjectClass& new_;
  const ObjectClass* pools_;
  Makes makes_;
  Unwritten unwritten_;
  Transformers transformers_;
  std::unique_ptr<ConversionWorkers> workers_;  ///< null: the stopping thread alone
  std::mutex taking_cells_;  ///< taken by the stopping thread and its workers, which are never stopped
  StagingArea staging_;
  std::vector<std::unique_ptr<std::byte[]>> scratch_;  ///< one for each worker
  std::exception_ptr failure_;                         ///< of the first failed group
  std::atomic<bool> has_failed_{false};
  std::size_t expected_groups_ = 0;
  std::vector<Part> parts_;
  std::vector<const Pool*> converted_;  ///< pools with converted objects
  std::atomic<std::size_t> count_{0};
  std::optional<ProgressScope> progress_;  ///< from build to exchange, for many objects
  State state_ = State::idle;
};

}  // namespace moult::internal
