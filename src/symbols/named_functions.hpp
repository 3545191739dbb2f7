// The functions that the debug information defines, with or without code.
#pragma once

#include <string>
#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/function_index.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {

/// "ns::C::f" by the scopes around the function's declaration; empty inside of another function.
std::string scoped_name_of(const std::vector<Dwarf_Die>& parts);

/// The functions among `symbols` that the source defines. Leaves out additional names of a function (the attribute
/// `alias`).
std::vector<const Symbol*> defined_functions(const DebugInfo& info, const std::vector<const Symbol*>& symbols);

/// Symbols in a unit's code that the debug information does not describe, by address.
std::vector<const Symbol*> undescribed_symbols(const DebugInfo& info, const DebugUnit& unit,
                                               const FunctionIndex& functions);

/// Functions whose direct calls the compiler may lead to `function` if the code is the same (-fipa-icf). The same
/// source file, `unit`, defines them, and they are among its `undescribed` symbols.
std::vector<const Symbol*> functions_folded_into(const DebugUnit& unit, const std::vector<const Symbol*>& undescribed,
                                                 const Symbol& function);

/// True when the compiler leads direct calls of the function elsewhere: the debug information defines it, and says
/// nothing of the code that the symbol has.
bool is_folded(const DebugInfo& info, const Symbol& symbol);

/// True when the source defines a function of that name.
bool defines(const DebugInfo& info, const NameQuery& query);

/// What the debug information has of functions of a name, with or without code.
struct SourceFunction {
  bool is_defined = false;
  std::vector<InlinedCopy> copies;
};
SourceFunction source_function(const DebugInfo& info, const NameQuery& query);

}  // namespace moult::internal
