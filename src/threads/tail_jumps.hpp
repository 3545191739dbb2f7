// Functions that are entered by a jump from an exported one, which is then not on the stack while they run.
#pragma once

#include <optional>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// The function of `module` that `function` ends with a jump to. vfprintf, pthread_join, sem_wait and others are
/// nothing but a jump to a function that libc does not export.
std::optional<CodeRange> last_jump_of(CodeRange function, CodeRange module) noexcept;

/// All functions of `module` that `function` jumps to, and those that they jump to; not `function` itself. Read without
/// decoding: what merely looks like a jump to the beginning of a function counts as one.
std::vector<CodeRange> jumps_of(CodeRange function, CodeRange module);

}  // namespace moult::internal
