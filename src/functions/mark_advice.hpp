// The next step where a change is refused because callers may know the body of the old version.
#pragma once

#include <string>

#include "symbols/program.hpp"

namespace moult::internal {

/// How to mark `old`. With clang the mark is weak linkage, which a function that is hidden or static does not have in
/// the linked program: there it would be refused as before.
std::string mark_advice(const Program& program, const FunctionSymbol& old);

/// The same, or how to build the program so that its compiler uses no such knowledge, if it has an option for that.
std::string knowledge_advice(const Program& program, const FunctionSymbol& old);

}  // namespace moult::internal
