// Calls that the compiler has merged, moved or left out, as the old version has no side effects.
#pragma once

#include <vector>

#include "functions/callers.hpp"
#include "functions/known_bodies.hpp"
#include "functions/refusals.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Adds a refusal (unsupported_code) for each of `olds` that a compiler takes for a function without side effects where
/// it is called, if the function with the same index in `replacements` has some. Reads code; while the program runs.
void refuse_merged_calls(const Program& program, KnownBodies& bodies, Callers& callers,
                         const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                         Refusals& refusals);

}  // namespace moult::internal
