// New versions that call the replaced function by its old name, and so themselves.
#pragma once

#include <optional>

#include "base/address.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// The first place where the code of `caller` calls `callee`, or jumps to it, by its name: directly, through the
/// linkage table, or through a slot of the offset table. A call by pointer is not seen.
std::optional<CodeAddress> call_by_name(const Program& program, const FunctionSymbol& caller, CodeAddress callee);

/// Warns if the new version calls the old one by its name: that call reaches the new version.
void warn_of_self_call(const Program& program, const FunctionSymbol& old, const FunctionSymbol& replacement);

}  // namespace moult::internal
