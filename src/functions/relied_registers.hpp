// Registers and the stack's alignment in callers that were compiled knowing what the old version leaves alone.
#pragma once

#include <vector>

#include "functions/callers.hpp"
#include "functions/known_bodies.hpp"
#include "functions/refusals.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Adds a refusal (unsupported_code) for each of `olds` with a caller that reads a register behind the call which only
/// the old version leaves alone, and not the function with the same index in `replacements`; or that calls it with a
/// stack that is not aligned. Callers that are among `olds` do not count. Reads code; while the program runs.
void refuse_relied_registers(const Program& program, KnownBodies& bodies, Callers& callers,
                             const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                             Refusals& refusals);

}  // namespace moult::internal
