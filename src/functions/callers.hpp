// Direct calls of a function in code that may have been compiled knowing its body.
#pragma once

#include <optional>

#include "symbols/program.hpp"

namespace moult::internal {

/// A direct call of the function, or a jump to it, from the source file that defines it; one of them. Reads all code of
/// its module.
std::optional<CodeAddress> call_in_source(const Program& program, const FunctionSymbol& function);

}  // namespace moult::internal
