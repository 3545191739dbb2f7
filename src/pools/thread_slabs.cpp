// Problem: threads that allocate at the same time must not contend, and must not pay for the possibility.
//
// Approach: a thread owns slabs of each pool, up to 4 MiB, and deletes in them without an atomic instruction. It
// remembers one word of bits, in which it last found or made room, and takes the lowest free slot there. So a slot just
// deleted is used again while it is in the cache. When that word is full, a mask in each owned slab tells which other
// words may have room. Only when these have none does the thread collect slots that other threads have freed, and then
// exchange a slab. A thread gives up a slab that it has emptied itself, unless it is its only one.
//
// The records are in static TLS: an access neither locks nor allocates. The destructor of a pthread key gives them
// back. It runs after the destructors of thread_local variables, and again should a later destructor allocate.
//
// Limits: a sleeping thread keeps its slabs, even when others have emptied them. A thread whose destructors still
// allocate after PTHREAD_DESTRUCTOR_ITERATIONS rounds leaves its last slab without an owner; its live objects stay.
#include "pools/thread_slabs.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <new>
#include <optional>

#include "base/check.hpp"
#include "platform/poison.hpp"
#include "pools/side_table.hpp"
#include "pools/uninitialised_mark.hpp"

namespace moult::internal {
namespace {

/// Bytes of the slabs of one pool that a thread owns; one slab is always allowed.
constexpr std::uint32_t most_bytes = 4 << 20;

constinit Word no_room{~std::uint64_t{0}};

/// The slabs of one pool that this thread owns, and the place to look for room.
struct Owned {
  static constexpr std::uint32_t most = 64;

  Word* word = &no_room;
  std::byte* begin = nullptr;  ///< the slot of the word's lowest bit
  std::uint32_t count = 0;
  std::uint32_t cursor = 0;  ///< the slab in which room was found last
  std::uint32_t next_used_up = 0;
  std::array<Slab*, most> slabs{};

  bool has(const Slab& slab) const noexcept {
    return slabs[slab.index.load(std::memory_order_relaxed) % most] == &slab;
  }

  void put(std::uint32_t index, Slab& slab) noexcept {
    slabs[index] = &slab;
    slab.index.store(static_cast<std::uint8_t>(index), std::memory_order_relaxed);
  }

  void remove(Slab& slab) noexcept {
    --count;
    put(slab.index.load(std::memory_order_relaxed), *slabs[count]);
    slabs[count] = nullptr;
    word = &no_room;
  }
};

/// Indexed by the pool's id. Without constructor or destructor: it is used before the first and after the last of them.
struct ThreadSlabs {
  Owned* pools;
  std::uint32_t count;
};
[[gnu::tls_model("initial-exec")]] thread_local constinit ThreadSlabs own{nullptr, 0};

std::byte* take(const Owned& mine, const Pool& pool) noexcept {
  std::uint64_t taken = mine.word->load(std::memory_order_relaxed);
  if (taken == ~std::uint64_t{0}) return nullptr;
  std::byte* slot = mine.begin + static_cast<std::size_t>(std::countr_one(taken)) * pool.cut().slot_size;
  mark_uninitialised(slot, pool.shape().object_size);
  std::atomic_signal_fence(std::memory_order_release);  // a stop finds the mark in every live slot
  mine.word->store(taken | (taken + 1), std::memory_order_relaxed);
  return slot;
}

/// The slab's first word that has room. Clears mask bits of words that have none.
std::optional<std::uint32_t> word_with_room(Slab& slab) noexcept {
  for (; slab.rooms != 0; slab.rooms &= slab.rooms - 1) {
    std::uint32_t number = static_cast<std::uint32_t>(std::countr_zero(slab.rooms));
    if (slab.taken()[number].load(std::memory_order_relaxed) != ~std::uint64_t{0}) return number;
  }
  return std::nullopt;
}

/// Looks at all owned slabs once, first at the one that had room last.
bool find_room(Owned& mine, const Geometry& cut) noexcept {
  for (std::uint32_t step = 0; step < mine.count; ++step, ++mine.cursor) {
    if (mine.cursor >= mine.count) mine.cursor = 0;
    Slab& slab = *mine.slabs[mine.cursor];
    std::optional<std::uint32_t> number = word_with_room(slab);
    if (!number) continue;
    mine.word = slab.taken() + *number;
    mine.begin = slab.begin() + std::size_t{*number} * 64 * cut.slot_size;
    return true;
  }
  return false;
}

/// Collects the slots that other threads have freed in the owned slabs. False when no slab has enough of them.
bool collect(Owned& mine, const Pool& pool) noexcept {
  bool is_worthwhile = false;
  for (std::uint32_t index = 0; index < mine.count; ++index) {
    Slab& slab = *mine.slabs[index];
    if (!slab.has_freed_slots.load() || slab.collect() < pool.worthwhile()) continue;
    slab.rooms = slab.all_words();
    is_worthwhile = true;
  }
  return is_worthwhile;
}

/// Gets one more slab, or exchanges one when the thread owns the most allowed.
void acquire(Owned& mine, Pool& pool) {
  std::uint32_t most = std::clamp<std::uint32_t>(most_bytes >> pool.cut().slab_shift, 1, Owned::most);
  bool is_full = mine.count == most;
  std::uint32_t index = is_full ? mine.next_used_up++ % most : mine.count;
  Slab& added = pool.exchange(is_full ? mine.slabs[index] : nullptr);
  if (!is_full) ++mine.count;
  mine.put(index, added);
  mine.cursor = index;
  added.rooms = added.all_words();
  added.blank = 0;
}

void leave(void* data) noexcept;

pthread_key_t at_exit_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made;
    if (pthread_key_create(&made, [](void* data) { leave(data); }) != 0) throw std::bad_alloc();
    return made;
  }();
  return key;
}

/// Makes the pool's record in this thread.
void add_pool(std::uint32_t id) {
  if (pthread_setspecific(at_exit_key(), &own) != 0) throw std::bad_alloc();
  std::uint32_t count = std::max(own.count * 2, std::max<std::uint32_t>(8, id + 1));
  std::unique_ptr<Owned[]> wider = std::make_unique<Owned[]>(count);
  std::copy_n(own.pools, own.count, wider.get());
  delete[] own.pools;
  own.pools = wider.release();
  own.count = count;
}

/// The thread ends.
void leave(void* data) noexcept {
  ThreadSlabs& ending = *static_cast<ThreadSlabs*>(data);
  for (Owned* owned = ending.pools; owned != ending.pools + ending.count; ++owned)
    for (std::uint32_t index = 0; index < owned->count; ++index)
      Region::of(owned->slabs[index]->begin()).pool().give_up(*owned->slabs[index]);
  delete[] ending.pools;
  ending = {};
}

[[gnu::noinline]] std::byte* allocate_elsewhere(Pool& pool) {
  if (pool.id() >= own.count) add_pool(pool.id());
  Owned& mine = own.pools[pool.id()];
  const Geometry& cut = pool.cut();
  bool has_room = find_room(mine, cut) || (collect(mine, pool) && find_room(mine, cut));
  if (!has_room) {
    acquire(mine, pool);
    find_room(mine, cut);
  }
  std::byte* slot = take(mine, pool);
  MOULT_CHECK(slot != nullptr, "a slab with room has none");
  return slot;
}

/// See Pool::Care.
[[gnu::noinline, gnu::cold]] void take_care(std::uint8_t care, const std::byte* slot, Word& others,
                                            std::uint64_t bit) noexcept {
  if ((care & Pool::fault_in) != 0) *static_cast<const volatile std::byte*>(slot);
  if ((care & Pool::clear_other) != 0) others.fetch_and(~bit, std::memory_order_relaxed);
}

/// The thread has deleted the last live object of a word in its slab. It gives the slab up when all words are blank.
[[gnu::noinline, gnu::cold]] void note_blank(Owned& mine, Pool& pool, Slab& slab, std::uint32_t word) noexcept {
  slab.blank |= std::uint64_t{1} << word;
  if (slab.blank != slab.all_words() || mine.count == 1) return;
  for (std::uint32_t each = 0; each < slab.words(); ++each)
    if (slab.live(each) != 0) slab.blank &= ~(std::uint64_t{1} << each);
  if (slab.blank != slab.all_words()) return;
  mine.remove(slab);
  pool.give_up(slab);
}

/// Deallocation without the object's values.
[[gnu::always_inline]] inline void free_slot(void* slot) noexcept {
  const Region& region = Region::of(slot);
  Pool& pool = region.pool();
  const Geometry& cut = region.cut();
  Slab& slab = region.slab_of(slot);
  std::size_t offset = reinterpret_cast<std::uintptr_t>(slot) & cut.offset_mask;
  std::uint32_t number = cut.slot_at(offset);
  std::uint32_t word = number / 64;
  std::uint64_t bit = std::uint64_t{1} << (number % 64);
  Word& taken = slab.taken()[word];
  std::uint64_t taken_bits = taken.load(std::memory_order_relaxed);
  std::uint64_t live = taken_bits & ~(&taken)[cut.freed].load(std::memory_order_relaxed);
  MOULT_CHECK(number * std::size_t{cut.slot_size} == offset, "what is deleted is no object of the pool");
  MOULT_CHECK((live & bit) != 0, "an object is deleted twice");
  if (std::uint8_t care = pool.care()) [[unlikely]]
    take_care(care, static_cast<std::byte*>(slot), slab.others()[word], bit);
  if (pool.poisons()) [[unlikely]]
    internal::poison(static_cast<std::byte*>(slot), cut.slot_size);
  if (pool.id() >= own.count || !own.pools[pool.id()].has(slab)) return pool.free_from_outside(slab, number);
  Owned& mine = own.pools[pool.id()];
  taken.store(taken_bits & ~bit, std::memory_order_relaxed);
  mine.word = &taken;
  mine.begin = static_cast<std::byte*>(slot) - std::size_t{number % 64} * cut.slot_size;
  slab.rooms |= std::uint64_t{1} << word;
  if (live == bit) note_blank(mine, pool, slab, word);
}

}  // namespace

void* allocate(Pool& pool) {
  std::byte* slot = pool.id() < own.count ? take(own.pools[pool.id()], pool) : nullptr;
  if (slot == nullptr) slot = allocate_elsewhere(pool);
  if (pool.poisons()) [[unlikely]]
    unpoison(slot, pool.object_size());
  return slot;
}

void deallocate(void* slot) noexcept {
  if (slot == nullptr) return;
  if ((Region::of(slot).pool().care() & Pool::drop_values) != 0) [[unlikely]]
    return deallocate_with_values(slot);
  free_slot(slot);
}

void deallocate_with_values(void* slot) noexcept {
  const LooseValues values = take_values(slot);
  free_slot(slot);
}

}  // namespace moult::internal
