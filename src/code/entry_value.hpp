// Where a function keeps the address of its result in memory. The caller passes it in rdi, and debug information does
// not say where the function keeps it.
#pragma once

#include <optional>
#include <span>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"

namespace moult::internal {

/// Where a value is while a call is in progress.
struct ValuePlace {
  std::optional<Register> in;   ///< a register that calls preserve; otherwise:
  std::int64_t cfa_offset = 0;  ///< 8 bytes of the frame
};

/// Where a function keeps the value that rdi had at its entry, while its call that returns to `return_address` is in
/// progress. `ranges` is the function's code, the range with the entry first. Nothing if that is not certain.
std::optional<ValuePlace> place_of_first_argument(std::span<const CodeRange> ranges, CodeAddress return_address);

}  // namespace moult::internal
