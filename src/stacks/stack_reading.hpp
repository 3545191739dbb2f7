// Stacks with the variables of their frames, described from what was copied in a stop.
#pragma once

#include <vector>

#include "moult/stack.hpp"
#include "symbols/program.hpp"
#include "threads/frame_walk.hpp"

namespace moult::internal {

/// The frames of a copied stack, inlined ones too, the innermost one first. Reads debug information: when the program
/// runs again.
std::vector<StackFrame> describe_stack(const Program& program, const StackCopy& copy);

}  // namespace moult::internal
