// Every live object of a pool, at the speed of memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "moult/data_access.hpp"
#include "pools/pool.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Some objects of a pool, and where in each of them the wanted class begins.
struct Source {
  Pool* pool = nullptr;
  Portion portion = Portion::all;
  std::ptrdiff_t offset = 0;
  const ObjectClass* held = nullptr;  ///< what these objects are
};
/// Every pool with objects that are of the wanted class or, if included, of its subclasses. Exact only in a stopped
/// program, as a conversion changes what pools hold. Throws std::bad_alloc.
std::vector<Source> sources_of(const ObjectClass& wanted, Subclasses subclasses);

/// Calls `visit(slab, word, bits)` for every 64 slots among which live ones of `portion` are, by address within a
/// region.
template <class Visit>
void for_each_live_word(const Pool& pool, Portion portion, const StoppedWorld&, Visit&& visit) {
  for (const Region* region = pool.first_region(); region != nullptr; region = region->next.load()) {
    std::uint32_t end = region->slabs_end();
    for (std::uint32_t index = 0; index < end; ++index) {
      Slab& slab = region->slab(index);
      for (std::uint32_t word = 0; word < slab.words(); ++word)
        if (std::uint64_t live = region->live(index, word, portion)) visit(slab, word, live);
    }
  }
}

/// Calls `visit(slot)` for every live slot of `portion`, by address within a region. An object whose constructor or
/// destructor a stopped thread is in counts as live. `visit` may allocate and delete objects of the pool; whether those
/// born in slots not looked at yet are visited is not specified.
template <class Visit>
void for_each_live(const Pool& pool, Portion portion, const StoppedWorld& stopped, Visit&& visit) {
  std::size_t slot_size = pool.cut().slot_size;
  for_each_live_word(pool, portion, stopped, [&](const Slab& slab, std::uint32_t word, std::uint64_t live) {
    std::byte* begin = slab.begin() + std::size_t{word} * 64 * slot_size;
    for (; live != 0; live &= live - 1) visit(begin + static_cast<std::size_t>(std::countr_zero(live)) * slot_size);
  });
}
template <class Visit>
void for_each_live(const Pool& pool, const StoppedWorld& stopped, Visit&& visit) {
  for_each_live(pool, Portion::all, stopped, std::forward<Visit>(visit));
}

struct Slot {
  Slab* slab = nullptr;
  std::uint32_t number = 0;

  std::byte* begin(const Pool& pool) const noexcept {
    return slab->begin() + std::size_t{number} * pool.cut().slot_size;
  }
};
/// The slot, live or not, that `address` lies in; nothing when it lies in none. `address` may be any.
std::optional<Slot> slot_around(const Pool& pool, const StoppedWorld& stopped, const void* address) noexcept;
/// The live slot of `portion` that begins at `address`.
std::optional<Slot> find_live(const Pool& pool, Portion portion, const StoppedWorld& stopped,
                              const void* address) noexcept;

/// How many slots are live; exact only in a stopped program.
std::size_t count_live(const Pool& pool, Portion portion = Portion::all) noexcept;

}  // namespace moult::internal
