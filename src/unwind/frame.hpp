// A frame of a stack, as every walk reports it.
#pragma once

#include <cstdint>

#include "base/address.hpp"

namespace moult::internal {

/// One call in progress on a stack.
struct Frame {
  CodeAddress pc{};
  /// True for all frames except the innermost and those that a signal interrupted: pc is where the call returns to, so
  /// the call itself is at the byte before.
  bool is_return_address = false;
  /// False: the walk could not continue precisely from here. pc is a word of the stack that may or may not be a call.
  bool is_precise = true;
  /// The stack pointer in this frame, which is the CFA of the frame that it called; 0 if it is not known.
  std::uint64_t stack_pointer = 0;

  /// An address inside the calling instruction, for looking the function up.
  CodeAddress lookup_address() const noexcept { return is_return_address ? CodeAddress{value(pc) - 1} : pc; }
};

}  // namespace moult::internal
