// Functions that cannot return.
#pragma once

#include <span>

#include "base/address.hpp"

namespace moult::internal {

/// False if the code of a function, `ranges`, can be read as a whole, and has no return, no jump to another function,
/// and no jump to an address that is computed. In doubt true.
bool may_return(std::span<const CodeRange> ranges);

}  // namespace moult::internal
