// Functions as debug information defines them, with code of their own or without.
#pragma once

#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/function_index.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {

/// Those of `symbols` that are functions defined in the source. A name that was given to a function besides its own
/// (the attribute `alias`) is not.
std::vector<const Symbol*> defined_functions(const DebugInfo& info, const std::vector<const Symbol*>& symbols);

/// Whether a function of that name is defined in the source.
bool defines(const DebugInfo& info, const NameQuery& query);

/// Where copies of functions of that name are.
std::vector<InlinedCopy> copies_by_name(const DebugInfo& info, const NameQuery& query);

}  // namespace moult::internal
