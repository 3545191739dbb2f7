// The two classes of a change as the loaded modules have them.
#pragma once

#include <optional>

#include "redefine/class_change.hpp"
#include "redefine/member_matching.hpp"
#include "redefine/sent_updates.hpp"
#include "symbols/program.hpp"

namespace moult::redefine {

struct ClassSides {
  ClassMembers old;
  ClassMembers fresh;
  std::optional<std::size_t> fresh_module;  ///< nothing when the old class is in the same
};

/// Throws Error: not_found, ambiguous.
ClassSides find_sides(const symbols::Program& program, const SentUpdates& updates, const ClassRequest& request);

}  // namespace moult::redefine
