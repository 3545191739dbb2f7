// Whether two functions do the same, instruction by instruction.
#pragma once

#include "base/address.hpp"

namespace moult::internal {

/// True if `copy` has the instructions of `code`, with operands at the same addresses, or only jumps to `code`. Of what
/// both had before moult patched them.
bool is_same_code(CodeRange code, CodeRange copy);

}  // namespace moult::internal
