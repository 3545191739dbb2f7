// Exceptions of a new version in callers that were compiled knowing that the old one throws nothing.
#pragma once

#include <span>
#include <vector>

#include "functions/refusals.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Adds a refusal (unsupported_code) for each of `olds` from which no exception can come, while one can from the
/// function with the same index in `replacements`, and that is called where an exception ends the program. Callers that
/// are among `olds` do not count. Reads code; while the program runs.
void refuse_escaping_exceptions(const Program& program, const std::vector<FunctionSymbol>& olds,
                                const std::vector<FunctionSymbol>& replacements, Refusals& refusals);

}  // namespace moult::internal
