// Why: every object of a class changes in one stop, with its address kept, and either all of them or none.
//
// How: two passes. `build` makes each new value in a cell beside the pool, from the old object as it is: a transformer
// that throws leaves nothing behind but cells. `exchange` then saves the old object's bytes and moves the new value
// into its slot, which cannot fail. The bytes go to the cell, so that `put_back` has an object that points into itself
// where it was. Where nothing can fail in the first place (a noexcept transformer, an old class whose destructor does
// nothing) both are one pass. The live bits are read before the first transformer runs, and once more after the last:
// one that makes or deletes objects of the class is refused, as there is no telling what it meant for those.
//
// The old values are destroyed at the very end of the stop, each for a moment in its slot again, when nothing can fail
// any more. Until then all can be put back without calling any code but the new class's destructor. Whoever redirects
// the old class's destructor takes the redirection out for as long (redefine/object_change.cpp).
//
// What a slot holds is known by two things: the pool's contents, and the slot's `other` bit. With Makes::new_objects
// the pool's usual class changes; otherwise old code goes on making objects of the old class in the same pool, so each
// converted slot's bit is set and cleared when it is freed. A pool holds two classes at most.
//
// Memory: a cell for each object, taken and touched before the stop for those that live then and an eighth more.
//
// Several threads: where the transformer bears that, both passes are shared out to as many threads as there are
// processors, some thousand objects at a time. What destroys old values, and what takes back, is done by one.
//
// Limits: subclasses are left alone. There may be no slot whose object's constructor has not begun (unmade.hpp).
// What later steps of the same stop do to converted objects is not undone: one they have deleted stays deleted, without
// its old value's destructor being run.
#include "convert/eager_conversion.hpp"

#include <algorithm>
#include <bit>
#include <thread>
#include <utility>

#include "base/address.hpp"
#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/progress.hpp"
#include "moult/error.hpp"
#include "platform/poison.hpp"
#include "pools/live_objects.hpp"
#include "pools/under_construction.hpp"
#include "pools/uninitialised_mark.hpp"

namespace moult::internal {
namespace {

/// What a thread takes up at a time, in groups of 64 slots.
constexpr std::size_t groups_at_once = 64;
/// For fewer objects it does not pay to have other threads help.
constexpr std::size_t least_shared_out = 50'000;
/// Fewer are converted before anybody could look.
constexpr std::size_t least_shown = 10'000;
/// More do not convert faster than memory allows.
constexpr std::size_t most_workers = 8;

std::byte* slots_of(const Slab& slab, std::uint32_t word, std::size_t slot_size) noexcept {
  return slab.begin() + std::size_t{word} * 64 * slot_size;
}

template <class Act>
void for_each_bit(std::uint64_t bits, Act&& act) {
  for (; bits != 0; bits &= bits - 1) act(static_cast<std::size_t>(std::countr_zero(bits)));
}

/// The first of those slots that nothing was written to since operator new; null when there is none.
const std::byte* unwritten_among(const Pool& pool, const std::byte* slots, std::uint64_t bits) noexcept {
  for (; bits != 0; bits &= bits - 1) {
    const std::byte* slot = slots + static_cast<std::size_t>(std::countr_zero(bits)) * pool.cut().slot_size;
    if (is_uninitialised(slot, pool.shape().object_size)) return slot;
  }
  return nullptr;
}

}  // namespace

EagerConversion::EagerConversion(std::shared_ptr<detail::ObjectConverter> converter, Makes makes, Unwritten unwritten,
                                 Transformers transformers)
    : converter_(std::move(converter)),
      old_kind_(converter_->old_kind()),
      new_kind_(converter_->new_kind()),
      old_(object_class_of(*old_kind_.type)),
      new_(object_class_of(*new_kind_.type)),
      makes_(makes),
      unwritten_(old_kind_.has_vtable ? Unwritten::refused : unwritten),  // its first bytes are always written
      transformers_(transformers),
      cells_(std::max(old_kind_.size, new_kind_.size), std::max(old_kind_.alignment, new_kind_.alignment)) {
  require_two_classes(change());
  scratch_.push_back(std::make_unique<std::byte[]>(cells_.cell_size()));
}

EagerConversion::~EagerConversion() { discard(); }

std::vector<EagerConversion::Part> EagerConversion::find_parts() const {
  std::vector<Part> parts;
  for (const PoolChange& each : plan_pool_changes(change())) parts.push_back({each, {}});
  return parts;
}

void EagerConversion::check() const {
  MOULT_FAULT("convert.eager.check");
  for (const Part& part : find_parts()) refuse_misfit(change(), part);
}

void EagerConversion::reserve() {
  MOULT_FAULT("convert.eager.reserve");
  std::size_t objects = 0;
  std::size_t groups = 64;
  for (const Part& part : find_parts()) {
    objects += count_live(*part.pool, part.portion);
    for (const Region* region = part.pool->first_region(); region != nullptr; region = region->next.load())
      groups += std::size_t{region->slabs_end()} * region->cut().words();
  }
  cells_.clear();
  cells_.reserve(objects + objects / 8 + 1024);
  expected_groups_ = groups;
  if (transformers_ == Transformers::one_at_a_time || objects < least_shared_out) return;
  crew_ = std::make_unique<ConversionWorkers>(std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_workers));
  while (scratch_.size() < crew_->size()) scratch_.push_back(std::make_unique<std::byte[]>(cells_.cell_size()));
}

void EagerConversion::take_snapshot(Part& part, const StoppedWorld& stopped) const {
  part.groups.reserve(expected_groups_);
  for_each_live_word(*part.pool, part.portion, stopped, [&](Slab& slab, std::uint32_t word, std::uint64_t live) {
    std::uint64_t other = slab.others()[word].load(std::memory_order_relaxed);
    part.groups.push_back({&slab, word, false, live, live, other, nullptr});
  });
}

void EagerConversion::refuse_unmade(const StoppedWorld& stopped) const {
  std::vector<const Pool*> pools;
  for (const Part& part : parts_) pools.push_back(part.pool);
  if (std::optional<ObjectUnderConstruction> unmade = find_under_construction(pools, stopped))
    throw Error(ErrorCode::still_active, internal::describe(*unmade) + "; try again");
}

void EagerConversion::refuse_unwritten(const Part& part, const Group& group) const {
  if (unwritten_ == Unwritten::converted) return;
  const std::byte* slots = slots_of(*group.slab, group.word, part.pool->cut().slot_size);
  const std::byte* slot = unwritten_among(*part.pool, slots, group.bits);
  if (slot == nullptr) return;
  throw Error(
      ErrorCode::unsupported,
      old_.readable + ": neither the first nor the last eight bytes of the object at " +
          hex_text(reinterpret_cast<std::uintptr_t>(slot)) +
          " were written since `new`, so that it may not have been constructed; if the class leaves them alone, "
          "have such objects converted (ConversionOptions::unwritten)");
}

void EagerConversion::build(const StoppedWorld& stopped) {
  MOULT_CHECK(state_ == State::idle, "a conversion is built once");
  MOULT_FAULT("convert.eager.snapshot");
  parts_ = find_parts();
  for (Part& part : parts_) {
    refuse_misfit(change(), part);
    refuse_third_class(change(), part, part.portion == Portion::usual ? 0 : count_live(*part.pool, Portion::other));
    take_snapshot(part, stopped);
  }
  refuse_unmade(stopped);
  for (const Part& part : parts_) converted_.push_back(part.pool);
  show_progress();
  build_all();
  try {
    refuse_changed(stopped);
  } catch (...) {
    unbuild();
    throw;
  }
  state_ = State::built;
}

/// For whoever waits outside; nobody in the program can be asked until it is over.
void EagerConversion::show_progress() {
  std::size_t objects = 0;
  for (const Part& part : parts_)
    for (const Group& group : part.groups) objects += count_ones(group.live);
  if (objects >= least_shown) progress_.emplace(old_.readable + " to " + new_.readable, objects, steps_each());
}

bool EagerConversion::build_one(const StoppedWorld& stopped, void* object) {
  MOULT_FAULT("convert.eager.one");
  makes_ = Makes::old_objects;
  for (Part& part : find_parts()) {
    std::optional<Slot> found = find_live(*part.pool, part.portion, stopped, object);
    if (!found) continue;
    std::uint32_t word = found->number / 64;
    std::uint64_t bit = std::uint64_t{1} << (found->number % 64);
    std::uint64_t other = found->slab->others()[word].load(std::memory_order_relaxed);
    part.groups.push_back({found->slab, word, false, bit, bit, other, nullptr});
    refuse_misfit(change(), part);
    Group& group = part.groups.front();
    refuse_third_class(change(), part, (group.was_other & group.live) != 0 ? 1 : 0);
    converted_.push_back(part.pool);
    parts_.push_back(std::move(part));
    cells_.reserve(1);
    build_all();
    state_ = State::built;
    return count_ == 1;
  }
  return false;
}

detail::ObjectBatch EagerConversion::batch_of(const Part& part, const Group& group) const noexcept {
  std::size_t slot_size = part.pool->cut().slot_size;
  return {slots_of(*group.slab, group.word, slot_size), slot_size, group.bits, group.cells, cells_.cell_size()};
}

/// For all of them at once: threads that came for each group's would meet here, and wait for one another.
std::byte* EagerConversion::take_cells(std::span<const Group> groups) {
  std::size_t count = 0;
  for (const Group& group : groups) count += count_ones(group.bits);
  const std::scoped_lock lock(taking_cells_);
  return cells_.take(count);
}

/// The new objects are made in cells from `cells` on.
void EagerConversion::build_group(const Part& part, Group& group, std::byte* cells) {
  MOULT_FAULT("convert.eager.build");
  detail::ObjectBatch batch = batch_of(part, group);
  refuse_unwritten(part, group);
  group.bits = batch.bits = converter_->select(batch);
  group.cells = batch.cells = cells;
  if (part.pool->poisons())
    for_each_bit(group.bits, [&](std::size_t index) {
      unpoison(batch.slots + index * batch.slot_size, std::max(old_kind_.size, new_kind_.size));
    });
  if (converter_->is_in_place())
    converter_->convert_in_place(batch);
  else
    converter_->build(batch);
  group.is_built = true;
}

/// Groups of a part, up to the first in any thread that cannot be built.
void EagerConversion::build_some(const Part& part, std::span<Group> groups) {
  std::size_t built = 0;
  try {
    std::byte* const cells = take_cells(groups);
    for (Group& group : groups) {
      if (has_failed_.load(std::memory_order_relaxed)) break;
      build_group(part, group, cells + built * cells_.cell_size());
      built += count_ones(group.bits);
    }
  } catch (...) {
    if (!has_failed_.exchange(true)) failure_ = std::current_exception();
  }
  count_ += built;
  if (progress_) progress_->add(built);
}

/// `act(part, groups, worker)` for all groups, some at a time, in every thread that takes part.
template <class Act>
void EagerConversion::share_out(Act&& act) noexcept {
  for (Part& part : parts_) {
    std::atomic<std::size_t> next{0};
    const auto work = [&](std::size_t worker) {
      for (;;) {
        const std::size_t begin = next.fetch_add(groups_at_once, std::memory_order_relaxed);
        if (begin >= part.groups.size()) return;
        const std::size_t count = std::min(groups_at_once, part.groups.size() - begin);
        act(part, std::span(part.groups).subspan(begin, count), worker);
      }
    };
    crew_ != nullptr ? crew_->run(work) : work(0);
  }
}

void EagerConversion::build_all() {
  has_failed_ = false;
  share_out([this](const Part& part, std::span<Group> groups, std::size_t) { build_some(part, groups); });
  if (!has_failed_) return;
  unbuild();
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

/// Takes back what was built.
void EagerConversion::unbuild() noexcept {
  for (Part& part : parts_)
    for (const Group& group : part.groups) {
      if (!group.is_built) continue;
      detail::ObjectBatch batch = batch_of(part, group);
      if (converter_->is_in_place())
        converter_->put_back(batch);
      else
        converter_->discard(batch);
    }
  forget();
}

/// Throws when other objects of the class live than did when the snapshot was taken.
void EagerConversion::refuse_changed(const StoppedWorld& stopped) const {
  for (const Part& part : parts_) {
    auto expected = part.groups.begin();
    bool is_same = true;
    for_each_live_word(*part.pool, part.portion, stopped,
                       [&](const Slab& slab, std::uint32_t word, std::uint64_t live) {
                         is_same = is_same && expected != part.groups.end() && expected->slab == &slab &&
                                   expected->word == word && expected->live == live;
                         if (is_same) ++expected;
                       });
    if (is_same && expected == part.groups.end()) continue;
    throw Error(ErrorCode::unsupported, old_.readable + ": the transformer made or deleted objects of the class it " +
                                            "converts; let it use objects of other classes, or do that after apply");
  }
}

void EagerConversion::exchange(const StoppedWorld&) noexcept {
  MOULT_CHECK(state_ == State::built, "a conversion is built before it is carried out");
  state_ = State::exchanged;
  share_out([this](const Part& part, std::span<const Group> groups, std::size_t worker) {
    for (const Group& group : groups) {
      if (!converter_->is_in_place()) converter_->exchange(batch_of(part, group), scratch_[worker].get());
      Word& others = group.slab->others()[group.word];
      if (part.sets_other) others.fetch_or(group.bits, std::memory_order_relaxed);
      if (part.clears_other) others.fetch_and(~group.bits, std::memory_order_relaxed);
      if (progress_ && steps_each() == 2) progress_->add(count_ones(group.bits));
    }
  });
  progress_.reset();
  for (Part& part : parts_) part.pool->set_contents(part.after);
}

std::string EagerConversion::describe() const {
  const std::string objects = count_ == 1 ? "an object of " : std::to_string(count_) + " objects of ";
  return objects + old_.readable + " converted to " + new_.readable;
}

void EagerConversion::require_current() const {
  for (const Pool* pool : converted_) require_still(new_, *pool);
}

/// `act(part, group, batch)` for what still lives of each group; a batch is all of it, or one object.
template <class Act>
void EagerConversion::for_each_live_batch(Act&& act) noexcept {
  for (Part& part : parts_)
    for (const Group& group : part.groups) {
      detail::ObjectBatch batch = batch_of(part, group);
      std::uint64_t live = group.slab->live(group.word);
      if ((group.bits & ~live) == 0) {
        act(part, group, batch);
        continue;
      }
      for (std::uint64_t left = group.bits; left != 0; left &= left - 1, batch.cells += batch.cell_size) {
        batch.bits = left & -left;
        if ((batch.bits & live) != 0) act(part, group, batch);
      }
    }
}

void EagerConversion::put_back(const StoppedWorld&) noexcept {
  MOULT_CHECK(state_ == State::exchanged, "only a conversion that was carried out can be put back");
  for_each_live_batch([this](const Part& part, const Group& group, const detail::ObjectBatch& batch) {
    converter_->put_back(batch);
    Word& others = group.slab->others()[group.word];
    if (part.sets_other) others.fetch_and(~(batch.bits & ~group.was_other), std::memory_order_relaxed);
    if (part.clears_other) others.fetch_or(batch.bits & group.was_other, std::memory_order_relaxed);
    if (part.pool->poisons())
      for_each_bit(batch.bits, [&](std::size_t index) {
        std::byte* slot = batch.slots + index * batch.slot_size;
        internal::poison(slot, batch.slot_size);
        unpoison(slot, old_kind_.size);
      });
  });
  for (Part& part : parts_) part.pool->set_contents(part.before);
  forget();
}

void EagerConversion::end_olds(const StoppedWorld&) noexcept {
  if (state_ != State::exchanged) return;
  state_ = State::ended;
  if (!converter_->ends_olds()) return;
  for_each_live_batch([this](const Part&, const Group&, const detail::ObjectBatch& batch) {
    converter_->end_olds(batch, scratch_.front().get());
  });
}

void EagerConversion::discard() noexcept {
  if (state_ == State::built) unbuild();
}

void EagerConversion::forget() noexcept {
  progress_.reset();
  parts_.clear();
  converted_.clear();
  count_ = 0;
  state_ = State::idle;
}

/// Gives the memory back.
void EagerConversion::go_on() noexcept {
  discard();
  crew_.reset();
  cells_.clear();
  parts_.clear();
}

}  // namespace moult::internal
