// Problem: a stop may hit any thread anywhere, and must find all live objects of a class at memory speed, without the
// program's own structures. And new and delete must cost no more than malloc and free.
//
// Approach: there is no free list. A slab's bits say which slots are live (slab.hpp). A thread allocates by looking for
// a clear bit in the slabs that it owns (thread_slabs.hpp). Only the owner writes `taken`, without an atomic
// instruction; every other thread sets a bit of `freed`. So a stop between any two instructions finds the bits exact:
// no slot is in a cache, and slots hold no links that evacuated pages would hide. After mimalloc's local and remote
// frees (Leijen, Zorn, de Moura, APLAS 2019), with bits instead of links.
//
// A thread that has used up its slabs exchanges one, under the pool's lock, which keeps a stop away (base/guarded.hpp).
// A thread stopped in the fast paths holds no lock, so the stopping thread may allocate and delete. It never writes
// `taken` of a slab that a stopped thread owns.
//
// A thread that frees a slot in a slab without an owner signals the slab when several slots of 64 are free, and when
// all slots are. Fewer freed slots stay unused until the next one of that slab is freed. Empty slabs beyond a quarter
// of the used ones, and beyond 4 MiB, go back to the system, 1 MiB at a time.
//
// Memory order: a freeing thread sets the bit, then reads the slab's state. A thread that gives a slab up sets the
// state, then reads the bits. Both are sequentially consistent, so at least one sees the other's store, and every empty
// slab is noticed.
//
// Limits: regions stay reserved. A slab of a sleeping owner is not given back, even when it is empty. A child of fork
// inherits the lock as it was: if another thread was exchanging slabs then, the child deadlocks at its next exchange.
#include "pools/pool.hpp"

#include <algorithm>
#include <new>

#include "base/check.hpp"
#include "platform/poison.hpp"
#include "platform/reserved_memory.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t always_kept = std::size_t{4} << 20;  // bytes of empty slabs
constexpr std::size_t given_back_at_once = std::size_t{1} << 20;
/// A pool with this much memory gets more by whole slabs, instead of page by page.
constexpr std::size_t populated_from = std::size_t{1} << 20;

}  // namespace

std::size_t SlotShape::slot_size() const noexcept {
  if (object_size > largest_slot || reserve > largest_slot || alignment > largest_slot) return 0;
  std::size_t wanted = std::max(object_size + reserve, smallest_slot);
  // An object that grows may get fields of a greater alignment.
  std::size_t aligned = reserve > 0 ? std::max(alignment, std::size_t{__STDCPP_DEFAULT_NEW_ALIGNMENT__}) : alignment;
  std::size_t size = (wanted + aligned - 1) / aligned * aligned;
  return size <= largest_slot ? size : 0;
}

Pool::Pool(const ObjectClass& object_class, For whom, std::uint32_t id, const SlotShape& shape) noexcept
    : object_class_(object_class),
      for_(whom),
      id_(id),
      shape_(shape),
      cut_(Geometry::of(shape.slot_size())),
      poisons_(can_poison()),
      object_size_(shape.object_size),
      contents_{&object_class, nullptr, shape.object_size, 0},
      worthwhile_(std::clamp<std::uint32_t>(cut_.slots / 8, 1, 64)),
      signalled_from_(std::clamp<int>(static_cast<int>(cut_.slots / 8), 1, 4)) {}

std::optional<Portion> Pool::portion_of(const ObjectClass& wanted) const noexcept {
  bool is_usual = contents_.usual == &wanted;
  if (contents_.other == &wanted) return is_usual ? Portion::all : Portion::other;
  if (!is_usual) return std::nullopt;
  return contents_.other == nullptr ? Portion::all : Portion::usual;
}

void Pool::set_object_size(std::size_t size) noexcept {
  contents_.usual_size = size;
  object_size_.store(size, std::memory_order_relaxed);
}

void Pool::set_contents(const Contents& contents) noexcept {
  contents_ = contents;
  object_size_.store(contents.usual_size, std::memory_order_relaxed);
  if (contents.other != nullptr) add_care(clear_other);
}

void Pool::List::add(Slab& slab) noexcept {
  slab.previous = nullptr;
  slab.next = first;
  if (first != nullptr) first->previous = &slab;
  first = &slab;
  ++count;
}

void Pool::List::remove(Slab& slab) noexcept {
  (slab.previous != nullptr ? slab.previous->next : first) = slab.next;
  if (slab.next != nullptr) slab.next->previous = slab.previous;
  --count;
}

/// Calls `act(slabs)` under the lock. Surplus memory then goes back to the system, without the lock.
template <class Act>
void Pool::change(Act&& act) noexcept {
  Surplus surplus = slabs_.with([&](Slabs& slabs) {
    act(slabs);
    return take_surplus(slabs);
  });
  if (surplus.count > 0) give_back(surplus);
}

Slab& Pool::exchange(Slab* used_up) {
  Slab* replacement = nullptr;
  bool is_bare = false;
  change([&](Slabs& slabs) {
    look_at_signalled(slabs);
    replacement = take(slabs, is_bare);
    if (replacement == nullptr) return;
    replacement->state.store(Slab::State::owned);
    replacement->collect();
    if (used_up != nullptr) sort_in(slabs, *used_up);
  });
  if (replacement == nullptr) throw std::bad_alloc();
  if (is_bare) populate(replacement->begin(), cut_.slab_size());
  return *replacement;
}

void Pool::narrow(Region& region) noexcept {
  slabs_.with([&](Slabs&) { region.narrow(); });
}

void Pool::give_up(Slab& slab) noexcept {
  change([&](Slabs& slabs) { sort_in(slabs, slab); });
}

void Pool::look_at_signalled(Slabs& slabs) noexcept {
  Slab* each = signalled_.exchange(nullptr, std::memory_order_acquire);
  while (each != nullptr) {
    Slab& slab = *each;
    each = slab.next_signalled;
    slab.is_signalled.exchange(false);
    if (slab.state.load() == Slab::State::full) sort_in(slabs, slab);
  }
}

/// Puts a slab that is in no list into the one that its bits demand.
void Pool::sort_in(Slabs& slabs, Slab& slab) noexcept {
  slab.state.store(Slab::State::full);
  std::uint32_t free = slab.collect();
  if (free == cut_.slots) {
    add_empty(slabs, slab);
  } else if (free >= worthwhile_) {
    slab.state.store(Slab::State::partial);
    slabs.partial.add(slab);
  }
}

void Pool::add_empty(Slabs& slabs, Slab& slab) noexcept {
  slab.state.store(Slab::State::empty);
  slabs.empty.add(slab);
  --slabs.in_use;
}

Pool::Surplus Pool::take_surplus(Slabs& slabs) const noexcept {
  Surplus surplus;
  std::size_t step = std::clamp<std::size_t>(given_back_at_once / cut_.slab_size(), 1, Surplus::most);
  if (slabs.empty.count < std::max(always_kept / cut_.slab_size(), slabs.in_use / 4) + step) return surplus;
  for (; surplus.count < step; ++surplus.count) {
    Slab& slab = *slabs.empty.first;
    slabs.empty.remove(slab);
    slab.state.store(Slab::State::discarded);
    surplus.slabs[surplus.count] = &slab;
  }
  return surplus;
}

/// Gives neighbours back in one call, because each call flushes addresses in all processors of the process.
void Pool::give_back(Surplus& surplus) noexcept {
  Slab** first = surplus.slabs.data();
  Slab** end = first + surplus.count;
  std::sort(first, end, [](const Slab* a, const Slab* b) { return a->begin() < b->begin(); });
  for (Slab** next = first; next != end; first = next) {
    std::size_t size = 0;
    for (; next != end && (*next)->begin() == (*first)->begin() + size; ++next) size += cut_.slab_size();
    discard((*first)->begin(), size);
  }
  slabs_.with([&](Slabs& slabs) {
    for (std::size_t i = 0; i < surplus.count; ++i) slabs.discarded.add(*surplus.slabs[i]);
  });
}

/// Sets `is_bare` when the slab's memory is better allocated in one piece.
Slab* Pool::take(Slabs& slabs, bool& is_bare) noexcept {
  if (Slab* slab = slabs.partial.first) {
    slabs.partial.remove(*slab);
    return slab;
  }
  Slab* slab = slabs.empty.first;
  if (slab != nullptr) {
    slabs.empty.remove(*slab);
  } else {
    slab = take_without_memory(slabs);
    is_bare = slabs.in_use * cut_.slab_size() >= populated_from;
  }
  if (slab != nullptr) ++slabs.in_use;
  return slab;
}

/// A discarded slab, or a new one.
Slab* Pool::take_without_memory(Slabs& slabs) noexcept {
  if (Slab* slab = slabs.discarded.first) {
    slabs.discarded.remove(*slab);
    return slab;
  }
  if (slabs.newest != nullptr)
    if (Slab* slab = slabs.newest->add_slab()) return slab;
  if (slabs.newest != nullptr && slabs.newest->slabs_end() < cut_.slabs) return nullptr;  // room, but no memory
  Region* region = Region::make(*this, cut_);
  if (region == nullptr) return nullptr;
  (slabs.newest != nullptr ? slabs.newest->next : first_region_).store(region, std::memory_order_release);
  slabs.newest = region;
  return region->add_slab();
}

void Pool::free_from_outside(Slab& slab, std::uint32_t number) noexcept {
  Word& freed = slab.freed()[number / 64];
  freed.fetch_or(std::uint64_t{1} << (number % 64), std::memory_order_seq_cst);
  if (slab.state.load(std::memory_order_seq_cst) == Slab::State::owned) {
    if (!slab.has_freed_slots.load()) slab.has_freed_slots.store(true);
    return;
  }
  if (is_worth_signalling(freed.load(std::memory_order_relaxed))) signal(slab);
  if (slab.live(number / 64) == 0 && slab.is_empty()) release_if_empty(slab);
}

/// Whether at least signalled_from_ bits are set.
bool Pool::is_worth_signalling(std::uint64_t freed_bits) const noexcept {
  for (int fewer = 1; fewer < signalled_from_; ++fewer) freed_bits &= freed_bits - 1;
  return freed_bits != 0;
}

void Pool::signal(Slab& slab) noexcept {
  if (slab.is_signalled.load(std::memory_order_relaxed) || slab.is_signalled.exchange(true)) return;
  Slab* first = signalled_.load(std::memory_order_relaxed);
  do slab.next_signalled = first;
  while (!signalled_.compare_exchange_weak(first, &slab, std::memory_order_release, std::memory_order_relaxed));
}

void Pool::release_if_empty(Slab& slab) noexcept {
  change([&](Slabs& slabs) {
    Slab::State state = slab.state.load();
    if ((state != Slab::State::full && state != Slab::State::partial) || !slab.is_empty()) return;
    if (state == Slab::State::partial) slabs.partial.remove(slab);
    sort_in(slabs, slab);
  });
}

}  // namespace moult::internal
