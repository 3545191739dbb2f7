// The live objects of the pools, one by one at memory speed, and in numbers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moult/data_access.hpp"
#include "pools/pool.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Some objects of a pool that are, or derive from, a wanted class.
struct Source {
  Pool* pool = nullptr;
  Portion portion = Portion::all;
  std::ptrdiff_t offset = 0;          ///< of the wanted class in each object
  const ObjectClass* held = nullptr;  ///< the objects' own class
};
/// All pools with objects of the wanted class or, if included, of its subclasses. Exact only in a stopped program, as
/// conversions change the classes of a pool. Throws std::bad_alloc.
std::vector<Source> sources_of(const ObjectClass& wanted, Subclasses subclasses);

/// Calls `visit(slab, word, bits)` for every 64 slots with live ones of `portion`, by address within a region.
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

/// Calls `visit(slot)` for every live slot of `portion`, by address within a region. An object counts as live while a
/// stopped thread is in its constructor or destructor. `visit` may allocate and delete objects of the pool. Objects
/// made meanwhile may be visited or not.
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
/// The slot, live or not, around any `address`; nothing when there is none.
std::optional<Slot> slot_around(const Pool& pool, const StoppedWorld& stopped, const void* address) noexcept;
/// The live slot of `portion` that begins at `address`.
std::optional<Slot> find_live(const Pool& pool, Portion portion, const StoppedWorld& stopped,
                              const void* address) noexcept;

/// The number of live slots; exact only in a stopped program.
std::size_t count_live(const Pool& pool, Portion portion = Portion::all) noexcept;

/// Objects of one class in a pool.
struct HeldObjects {
  std::string class_name;  ///< demangled
  std::size_t live = 0;
  std::size_t object_size = 0;  ///< bytes
};

struct PoolStatistics {
  std::string class_name;         ///< demangled
  bool is_of_subclass = false;    ///< the pool is for the subclasses of class_name of this size
  std::vector<HeldObjects> held;  ///< the class of new objects first; after a conversion perhaps a second one
  std::size_t slot_size = 0;      ///< bytes, as all below
  std::size_t reserved = 0;       ///< address space
  std::size_t resident = 0;       ///< memory of the slots
  std::size_t metadata = 0;       ///< memory beside the slots
};

/// The statistics of each pool, by class in the order of first use. In a running program the numbers belong to no
/// single moment. Throws std::bad_alloc.
std::vector<PoolStatistics> pool_statistics();

}  // namespace moult::internal
