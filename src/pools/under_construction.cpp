// Why: between operator new and the constructor a slot is live and holds no object. The mark tells such a slot, but an
// object to which nothing was ever written bears it too; to take the one for the other would leave an object
// unconverted, or have a constructor run over a converted one.
//
// How: whoever is about to construct has the slot's address, in a register or on the stack. So a marked slot whose
// address no thread has is an object. Where a thread has it, there is no telling, and the update waits. The search is
// by the threads' words and not by the slots: its cost depends on how deep the stacks are and not on how many objects
// live.
//
// Limit: a coroutine that is suspended in the arguments of `new` keeps the address in its own frame, on the heap, and
// the thread that stopped the others may itself be below such arguments. So what bears the mark and is on no stack is
// converted only when that is asked for (Unwritten).
#include "pools/under_construction.hpp"

#include <algorithm>

#include "base/address.hpp"
#include "pools/live_objects.hpp"
#include "pools/uninitialised_mark.hpp"

namespace moult::internal {
namespace {

/// From the first byte of the pools' regions to the last: most words on a stack are not in between.
struct Extent {
  std::uintptr_t begin = ~std::uintptr_t{0};
  std::uintptr_t end = 0;
};

Extent extent_of(std::span<const Pool* const> pools) noexcept {
  Extent extent;
  for (const Pool* pool : pools)
    for (const Region* region = pool->first_region(); region != nullptr; region = region->next.load()) {
      std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(region->slots_begin());
      extent.begin = std::min(extent.begin, begin);
      extent.end = std::max(extent.end, begin + region->used_slot_bytes());
    }
  return extent;
}

/// The slot, if it is marked, that `address` lies in.
const std::byte* marked_slot_around(const Pool& pool, const StoppedWorld& stopped, std::uintptr_t address) noexcept {
  std::optional<Slot> found = slot_around(pool, stopped, reinterpret_cast<const void*>(address));
  if (!found || !is_uninitialised(found->begin(pool), pool.shape().object_size)) return nullptr;
  return found->begin(pool);
}

/// Not checked by the address sanitizer: its own markers lie between the variables of a stack.
[[gnu::no_sanitize_address]] std::optional<ObjectUnderConstruction> find_among(std::span<const std::uint64_t> words,
                                                                    std::span<const Pool* const> pools,
                                                                    const Extent& extent,
                                                                    const StoppedWorld& stopped) noexcept {
  for (const std::uint64_t& word : words) {
    if (word < extent.begin || word >= extent.end) continue;
    for (const Pool* pool : pools)
      if (const std::byte* slot = marked_slot_around(*pool, stopped, word)) return ObjectUnderConstruction{pool, slot, {}};
  }
  return std::nullopt;
}

}  // namespace

std::string describe(const ObjectUnderConstruction& unmade) {
  return describe_thread(unmade.thread) + " may be about to construct the object of " +
         unmade.pool->contents().usual->readable + " at " + hex_text(reinterpret_cast<std::uintptr_t>(unmade.slot)) +
         ", to whose first and last eight bytes nothing was written yet";
}

std::optional<ObjectUnderConstruction> find_under_construction(std::span<const Pool* const> pools, const StoppedWorld& stopped) {
  const Extent extent = extent_of(pools);
  std::optional<ObjectUnderConstruction> found;
  if (extent.end == 0) return found;
  for (ThreadId thread : stopped.threads().first(stopped.thread_count())) {
    stopped.visit_words(thread, [&](std::span<const std::uint64_t> words) {
      if (!found) found = find_among(words, pools, extent, stopped);
    });
    if (!found) continue;
    found->thread = thread;
    break;
  }
  return found;
}

}  // namespace moult::internal
