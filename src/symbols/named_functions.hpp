// The functions that the debug information defines, with or without code.
#pragma once

#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/function_index.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {

/// The functions among `symbols` that the source defines. Leaves out additional names of a function (the attribute
/// `alias`).
std::vector<const Symbol*> defined_functions(const DebugInfo& info, const std::vector<const Symbol*>& symbols);

/// True when the source defines a function of that name.
bool defines(const DebugInfo& info, const NameQuery& query);

/// The places of copies of functions of that name.
std::vector<InlinedCopy> copies_by_name(const DebugInfo& info, const NameQuery& query);

}  // namespace moult::internal
