// Arguments that clang's callers no longer pass, and results that they take for known.
#pragma once

#include <vector>

#include "functions/callers.hpp"
#include "functions/known_bodies.hpp"
#include "functions/refusals.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Adds a refusal (unsupported_code) for each of `olds` that clang compiled with callers in the same source file, if
/// the function with the same index in `replacements` reads an argument that the old version does not, or returns
/// something where the old version always returns one value or none. Reads code; while the program runs.
void refuse_missing_arguments(const Program& program, KnownBodies& bodies, Callers& callers,
                              const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                              Refusals& refusals);

}  // namespace moult::internal
