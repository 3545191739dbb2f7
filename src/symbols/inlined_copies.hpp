// Where a function's code was copied into its callers, by the debug information: one search for one function.
#pragma once

#include "symbols/inlined_copy.hpp"

namespace moult::internal {

InlinedCopies find_inlined_copies(const DebugInfo& info, const InlinedFunction& function);

}  // namespace moult::internal
