// The two classes of a change as the loaded modules have them.
#pragma once

#include <optional>

#include "classes/class_change.hpp"
#include "classes/loaded_updates.hpp"
#include "classes/member_matching.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

struct ClassSides {
  ClassMembers old;
  ClassMembers fresh;
  std::optional<std::size_t> fresh_module;  ///< nothing when the old class is in the same
};

/// Throws Error: not_found, ambiguous.
ClassSides find_sides(const Program& program, const LoadedUpdates& updates, const ClassRequest& request);

}  // namespace moult::internal
