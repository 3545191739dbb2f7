// Problem: between operator new and the constructor, a slot is live and holds no object. operator new marks such a slot
// (uninitialised_mark.hpp), but an object to which nothing was ever written bears the mark too. Mistaking one for the
// other leaves an object unconverted, or runs a constructor over a converted one.
//
// Approach: a thread that is about to construct an object has the slot's address, in a register or on its stack. So a
// marked slot whose address no thread has is an object. Where a thread has the address the two cannot be told apart,
// and the update waits. The search goes through the threads' words, not through the slots: its cost depends on the
// depth of the stacks, not on the number of objects.
//
// Limits: a coroutine suspended in the arguments of `new` keeps the address in its frame, on the heap. The stopping
// thread itself may be below such arguments. So a marked slot that is on no stack is converted only on request
// (Unwritten).
#include "pools/under_construction.hpp"

#include <algorithm>

#include "base/address.hpp"
#include "platform/tasks.hpp"
#include "pools/live_objects.hpp"
#include "pools/uninitialised_mark.hpp"

namespace moult::internal {
namespace {

/// From the first byte of the pools' regions to the last: most words of a stack are outside.
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

/// The slot around `address`, if it is marked.
const std::byte* marked_slot_around(const Pool& pool, const StoppedWorld& stopped, std::uintptr_t address) noexcept {
  std::optional<Slot> found = slot_around(pool, stopped, reinterpret_cast<const void*>(address));
  if (!found || !is_uninitialised(found->begin(pool), pool.shape().object_size)) return nullptr;
  return found->begin(pool);
}

/// Without the address sanitizer's checks: its markers lie between the variables of a stack.
[[gnu::no_sanitize_address]] std::optional<ObjectUnderConstruction> find_among(std::span<const std::uint64_t> words,
                                                                               std::span<const Pool* const> pools,
                                                                               const Extent& extent,
                                                                               const StoppedWorld& stopped) noexcept {
  for (const std::uint64_t& word : words) {
    if (word < extent.begin || word >= extent.end) continue;
    for (const Pool* pool : pools)
      if (const std::byte* slot = marked_slot_around(*pool, stopped, word))
        return ObjectUnderConstruction{pool, slot, {}};
  }
  return std::nullopt;
}

}  // namespace

std::string describe(const ObjectUnderConstruction& object) {
  return describe_thread(object.thread) + " may be about to construct the object of " +
         object.pool->contents().usual->name.text() + " at " + hex_text(reinterpret_cast<std::uintptr_t>(object.slot)) +
         ", to whose first and last eight bytes nothing was written yet";
}

std::optional<ObjectUnderConstruction> find_under_construction(std::span<const Pool* const> pools,
                                                               const StoppedWorld& stopped) {
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
