// Slots in which a thread may be about to construct an object.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "pools/pool.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

struct ObjectUnderConstruction {
  const Pool* pool = nullptr;
  const std::byte* slot = nullptr;
  ThreadId thread{};  ///< has the slot's address
};

/// "the thread … may be about to construct the … at …". Allocates.
std::string describe(const ObjectUnderConstruction& object);

/// The first slot of these pools that still bears operator new's mark (uninitialised_mark.hpp) while another thread has
/// an address in it, in a register or on its stack. The slot need not be live yet: the mark comes first. Does not
/// allocate.
std::optional<ObjectUnderConstruction> find_under_construction(std::span<const Pool* const> pools,
                                                               const StoppedWorld& stopped);

}  // namespace moult::internal
