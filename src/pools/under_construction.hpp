// Objects that a thread may be about to construct.
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
  ThreadId thread{};  ///< that has its address
};

/// "the thread … may be about to construct the … at …". Allocates.
std::string describe(const ObjectUnderConstruction& unmade);

/// The first slot of these pools that bears the mark of operator new still (raw_mark.hpp) while another thread has an
/// address in it among its registers or on its stack. One that is not live counts too: the mark comes first. Does not
/// allocate.
std::optional<ObjectUnderConstruction> find_under_construction(std::span<const Pool* const> pools, const StoppedWorld& stopped);

}  // namespace moult::internal
