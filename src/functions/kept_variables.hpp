// Variables whose values callers keep over calls of the old version, as it leaves them alone.
#pragma once

#include <vector>

#include "functions/callers.hpp"
#include "functions/known_bodies.hpp"
#include "functions/refusals.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Adds a refusal (unsupported_code) for each of `olds` whose callers may keep a variable's value in a register over
/// its call, or leave out an assignment before it, if the function with the same index in `replacements` would notice.
/// Reads code; while the program runs.
void refuse_kept_variables(const Program& program, KnownBodies& bodies, Callers& callers,
                           const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                           Refusals& refusals);

}  // namespace moult::internal
