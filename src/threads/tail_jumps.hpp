// Functions that an exported function enters by a jump, so that it is not on the stack while they run.
#pragma once

#include <optional>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// The function of `module` that `function` ends with a jump to. vfprintf, pthread_join, sem_wait and others consist of
/// a jump to a function that libc does not export.
std::optional<CodeRange> last_jump_of(CodeRange function, CodeRange module) noexcept;

/// All functions of `module` that `function` jumps to, directly or through others, without `function` itself. The code
/// is not decoded: everything that looks like a jump to the beginning of a function counts.
std::vector<CodeRange> jumps_of(CodeRange function, CodeRange module);

}  // namespace moult::internal
