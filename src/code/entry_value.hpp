// Where a function keeps what it was called with: the place for a result in memory is told to the function alone, in
// rdi, and no debug information says what it does with it.
#pragma once

#include <optional>
#include <span>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"

namespace moult::internal {

/// Where a value is while a call is in progress.
struct ValuePlace {
  std::optional<Register> in;   ///< one that calls preserve; else:
  std::int64_t cfa_offset = 0;  ///< in 8 bytes of the frame
};

/// Where the function whose code is `ranges`, the one with its entry first, has what was in rdi when it was entered,
/// while its call that returns to `return_address` is in progress. Nothing where that cannot be told for certain.
std::optional<ValuePlace> place_of_first_argument(std::span<const CodeRange> ranges, CodeAddress return_address);

}  // namespace moult::internal
