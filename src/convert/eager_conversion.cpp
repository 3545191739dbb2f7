// Problem: every object of a class changes in one stop and keeps its address; either all objects change or none.
//
// Approach: two passes. `build` makes each new value in a cell beside the pool and leaves the old object alone, so a
// throwing transformer leaves nothing but cells behind. `exchange` saves the old object's bytes in the cell and moves
// the new value into the slot; it cannot fail. `put_back` returns those bytes, so an object that points into itself is
// right again. Both are one pass where nothing can fail: with a noexcept transformer, and an old class whose destructor
// does nothing. The live bits are read before the first transformer and after the last one. A transformer that makes or
// deletes objects of the class is refused: it is unknown what it meant for them.
//
// The old values are destroyed at the very end of the stop, each in its slot again for a moment, when nothing can fail
// any more. Until then all can be undone, by code of the new class's destructor only. Where calls of the old destructor
// are redirected, classes/object_change.cpp removes the redirection for that time.
//
// Two things tell the class of a slot's object: the pool's contents, and the slot's `other` bit. With
// Makes::new_objects the pool's usual class changes. Otherwise old code goes on making objects of the old class in the
// same pool: the bit of each converted slot is set, and cleared when the slot is freed. A pool holds two classes at
// most.
//
// Memory: one cell for each object, allocated and written to before the stop, for the objects that live then and an
// eighth more.
//
// Threads: one thread calls all functions. Where the transformer bears it, both passes are shared out to one worker a
// processor, 8 at most, a few thousand objects at a time. One thread destroys old values, and undoes.
//
// Limits: objects of subclasses are left alone. A slot whose object's constructor has not begun prevents the conversion
// (under_construction.hpp). Later steps of the same stop may delete converted objects. Undo does not bring these back,
// and the destructors of their old values do not run.
#include "convert/eager_conversion.hpp"

#include <algorithm>
#include <bit>
#include <functional>
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

/// A worker takes this many groups of 64 slots at a time.
constexpr std::size_t groups_at_once = 64;
/// For fewer objects other threads do not pay.
constexpr std::size_t least_shared_out = 50'000;
/// Fewer objects are converted before a user could look.
constexpr std::size_t least_shown = 10'000;
/// More workers are limited by memory, not by processors.
constexpr std::size_t most_workers = 8;

std::byte* slots_of(const Slab& slab, std::uint32_t word, std::size_t slot_size) noexcept {
  return slab.begin() + std::size_t{word} * 64 * slot_size;
}

template <class Act>
void for_each_bit(std::uint64_t bits, Act&& act) {
  for (; bits != 0; bits &= bits - 1) act(static_cast<std::size_t>(std::countr_zero(bits)));
}

/// The first of the slots that still bears operator new's mark; null when there is none.
const std::byte* unwritten_among(const Pool& pool, const std::byte* slots, std::uint64_t bits) noexcept {
  for (; bits != 0; bits &= bits - 1) {
    const std::byte* slot = slots + static_cast<std::size_t>(std::countr_zero(bits)) * pool.cut().slot_size;
    if (is_uninitialised(slot, pool.shape().object_size)) return slot;
  }
  return nullptr;
}

}  // namespace

EagerConversion::EagerConversion(std::shared_ptr<detail::ObjectConverter> converter, Makes makes, Unwritten unwritten,
                                 Transformers transformers, const ObjectClass* pools)
    : converter_(std::move(converter)),
      old_kind_(converter_->old_kind()),
      new_kind_(converter_->new_kind()),
      old_(object_class_of(*old_kind_.type)),
      new_(object_class_of(*new_kind_.type)),
      pools_(pools),
      makes_(makes),
      unwritten_(old_kind_.has_vtable ? Unwritten::refused : unwritten),  // a vtable pointer is always written
      transformers_(transformers),
      staging_(std::max(old_kind_.size, new_kind_.size), std::max(old_kind_.alignment, new_kind_.alignment)) {
  scratch_.push_back(std::make_unique<std::byte[]>(staging_.cell_size()));
}

EagerConversion::~EagerConversion() { discard(); }

/// The class stays the same, so that only the size of new objects changes in its own pool.
std::vector<EagerConversion::Part> EagerConversion::find_parts_of_edit() const {
  std::vector<Part> parts;
  for (ClassPools* const each : all_class_pools()) {
    if (&each->object_class != pools_) continue;
    each->for_each([&](Pool& pool) {
      Part& part = parts.emplace_back();
      part.pool = &pool;
      part.before = part.after = pool.contents();
      if (&pool == &each->own && &old_ == pools_) part.after.usual_size = new_kind_.size;
    });
  }
  return parts;
}

std::vector<EagerConversion::Part> EagerConversion::find_parts() const {
  if (pools_ != nullptr) return find_parts_of_edit();
  std::vector<Part> parts;
  for (const PoolChange& each : plan_pool_changes(change())) parts.push_back({each, {}});
  return parts;
}

void EagerConversion::check() const {
  MOULT_FAULT("convert.eager.check");
  for (const Part& part : find_parts())
    if (pools_ == nullptr) refuse_misfit(change(), part);
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
  staging_.clear();
  staging_.reserve(objects + objects / 8 + 1024);
  expected_groups_ = groups;
  if (transformers_ == Transformers::one_at_a_time || objects < least_shared_out) return;
  workers_ = std::make_unique<ConversionWorkers>(
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_workers));
  while (scratch_.size() < workers_->size()) scratch_.push_back(std::make_unique<std::byte[]>(staging_.cell_size()));
}

void EagerConversion::take_snapshot(Part& part, const StoppedWorld& stopped) const {
  part.groups.reserve(expected_groups_);
  for_each_live_word(*part.pool, part.portion, stopped, [&](Slab& slab, std::uint32_t word, std::uint64_t live) {
    std::uint64_t other = slab.others()[word].load(std::memory_order_relaxed);
    part.groups.push_back({&slab, word, false, live, live, other, nullptr});
  });
}

void EagerConversion::refuse_under_construction(const StoppedWorld& stopped) const {
  std::vector<const Pool*> pools;
  for (const Part& part : parts_) pools.push_back(part.pool);
  if (std::optional<ObjectUnderConstruction> object = find_under_construction(pools, stopped))
    throw Error(ErrorCode::still_active, internal::describe(*object) + "; try again");
}

void EagerConversion::refuse_unwritten(const Part& part, const Group& group) const {
  if (unwritten_ == Unwritten::converted) return;
  const std::byte* slots = slots_of(*group.slab, group.word, part.pool->cut().slot_size);
  const std::byte* slot = unwritten_among(*part.pool, slots, group.bits);
  if (slot == nullptr) return;
  throw Error(
      ErrorCode::unsupported,
      old_.name.text() + ": neither the first nor the last eight bytes of the object at " +
          hex_text(reinterpret_cast<std::uintptr_t>(slot)) +
          " were written since `new`, so that it may not have been constructed; if the class leaves them alone, "
          "have such objects converted (ConversionOptions::unwritten)");
}

void EagerConversion::build(const StoppedWorld& stopped) {
  MOULT_CHECK(state_ == State::idle, "a conversion is built once");
  MOULT_FAULT("convert.eager.snapshot");
  parts_ = find_parts();
  for (Part& part : parts_) {
    if (pools_ == nullptr) refuse_misfit(change(), part);
    refuse_third_class(change(), part, part.portion == Portion::usual ? 0 : count_live(*part.pool, Portion::other));
    take_snapshot(part, stopped);
  }
  refuse_under_construction(stopped);
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

/// For a user who waits outside: until the stop ends, the program answers no request.
void EagerConversion::show_progress() {
  std::size_t objects = 0;
  for (const Part& part : parts_)
    for (const Group& group : part.groups) objects += count_ones(group.live);
  if (objects >= least_shown)
    progress_.emplace(old_.name.text() + " to " + (&old_ == &new_ ? "its new layout" : new_.name.text()), objects,
                      steps_each());
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
    staging_.reserve(1);
    build_all();
    state_ = State::built;
    return count_ == 1;
  }
  return false;
}

detail::ObjectBatch EagerConversion::batch_of(const Part& part, const Group& group) const noexcept {
  std::size_t slot_size = part.pool->cut().slot_size;
  return {slots_of(*group.slab, group.word, slot_size), slot_size, group.bits, group.cells, staging_.cell_size()};
}

/// Takes the cells of several groups at once, so that workers rarely wait for one another here.
std::byte* EagerConversion::take_cells(std::span<const Group> groups) {
  std::size_t count = 0;
  for (const Group& group : groups) count += count_ones(group.bits);
  const std::scoped_lock lock(taking_cells_);
  return staging_.take(count);
}

/// Makes the group's new objects in cells from `cells` on.
void EagerConversion::build_group(const Part& part, Group& group, std::byte* cells) {
  MOULT_FAULT("convert.eager.build");
  detail::ObjectBatch batch = batch_of(part, group);
  refuse_unwritten(part, group);
  group.bits = batch.bits = converter_->select(batch);
  if (pools_ != nullptr && group.bits != 0) refuse_misfit(change(), part);
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

/// Builds groups of a part, until building fails in any thread.
void EagerConversion::build_some(const Part& part, std::span<Group> groups) {
  std::size_t built = 0;
  try {
    std::byte* const cells = take_cells(groups);
    for (Group& group : groups) {
      if (has_failed_.load(std::memory_order_relaxed)) break;
      build_group(part, group, cells + built * staging_.cell_size());
      built += count_ones(group.bits);
    }
  } catch (...) {
    if (!has_failed_.exchange(true)) failure_ = std::current_exception();
  }
  count_ += built;
  if (progress_) progress_->add(built);
}

/// Calls `act(part, groups, worker)` for all groups, some at a time, in all workers.
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
    workers_ != nullptr ? workers_->run(std::ref(work)) : work(0);  // a copy would allocate, in the stop
  }
}

void EagerConversion::build_all() {
  has_failed_ = false;
  share_out([this](const Part& part, std::span<Group> groups, std::size_t) { build_some(part, groups); });
  if (!has_failed_) return;
  unbuild();
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

/// Undoes build.
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

/// Throws when the live objects of the class differ from the snapshot.
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
    throw Error(ErrorCode::unsupported, old_.name.text() +
                                            ": the transformer made or deleted objects of the class it " +
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
  return objects + old_.name.text() + (&old_ == &new_ ? " given the new layout" : " converted to " + new_.name.text());
}

void EagerConversion::require_current() const {
  for (const Pool* pool : converted_) require_still(new_, *pool);
}

/// Calls `act(part, group, batch)` for the objects that are still live: a batch is a whole group, or one object.
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

/// Frees the memory.
void EagerConversion::go_on() noexcept {
  discard();
  workers_.reset();
  staging_.clear();
  parts_.clear();
}

}  // namespace moult::internal
