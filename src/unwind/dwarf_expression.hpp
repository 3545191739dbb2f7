// The part of DWARF's expression language that unwind information uses: for signal frames, PLT entries, realigned
// stacks and return stubs.
#pragma once

#include <cstdint>

#include "platform/x86_64/context.hpp"

namespace moult::internal {

/// Evaluates `expression` (its ULEB128 length first) for a frame with `registers`. `initial` is pushed first: for
/// register rules, the CFA. False if it uses an unknown operation. Does not allocate.
bool evaluate_expression(const std::uint8_t* expression, const Registers& registers, bool push_initial,
                         std::uint64_t initial, std::uint64_t& result) noexcept;

}  // namespace moult::internal
