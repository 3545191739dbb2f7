// The part of DWARF's expression language that occurs in unwind information: signal frames, PLT entries, realigned
// stacks, return stubs.
#pragma once

#include <cstdint>

#include "platform/x86_64/context.hpp"

namespace moult::internal {

/// Evaluates `expression` (its ULEB128 length first) for a frame with `registers`; `initial` is pushed first, as the
/// CFA is for register rules. False when it uses an operation not known here. Does not allocate.
bool evaluate_expression(const std::uint8_t* expression, const Registers& registers, bool push_initial,
                         std::uint64_t initial, std::uint64_t& result) noexcept;

}  // namespace moult::internal
