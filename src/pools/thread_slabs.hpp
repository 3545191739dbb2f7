// Allocation and deletion: the slab of each pool that a thread owns.
#pragma once

#include "pools/pool.hpp"

namespace moult::internal {

/// A slot for one object, uninitialised. Safe in any thread, in a stopped program too. Throws std::bad_alloc.
void* allocate(Pool& pool);

/// Takes back a slot of any pool, from any thread; null is let pass. A slot that is not live stops the process.
void deallocate(void* slot) noexcept;
/// What that is where the object may have values beside it (side_table.hpp), which are destroyed when the slot is free:
/// nothing of the program's runs while there is a dead object in a live slot.
void deallocate_with_values(void* slot) noexcept;

}  // namespace moult::internal
