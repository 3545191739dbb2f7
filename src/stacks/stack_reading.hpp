// Describes stacks, with the variables of their frames, from a copy made in a stop.
#pragma once

#include <vector>

#include "moult/stack.hpp"
#include "symbols/program.hpp"
#include "threads/frame_walk.hpp"

namespace moult::internal {

/// The frames of a copied stack, inlined ones included, the innermost first. Reads debug information, so after the
/// stop.
std::vector<StackFrame> describe_stack(const Program& program, const StackCopy& copy);

}  // namespace moult::internal
