// Allocation and deletion, in the slabs that a thread owns.
#pragma once

#include "pools/pool.hpp"

namespace moult::internal {

/// An uninitialised slot for one object. Safe in any thread, in a stopped program too. Throws std::bad_alloc.
void* allocate(Pool& pool);

/// Frees a slot of any pool, from any thread; does nothing for null. A slot that is not live stops the process.
void deallocate(void* slot) noexcept;
/// The same for an object that may have values beside it (side_table.hpp). They are destroyed after the slot is free:
/// no code of the program runs while a live slot holds a dead object.
void deallocate_with_values(void* slot) noexcept;

}  // namespace moult::internal
