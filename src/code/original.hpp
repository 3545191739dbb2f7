// The version of a function that the versions of one module replace.
#pragma once

#include "base/address.hpp"
#include "code/patch.hpp"

namespace moult::internal {

/// Code that can be called as `function`. It leads to the version that was active before the first version in `module`
/// was applied, to the active version if none of `module` is applied, and to the function as it was compiled if there
/// is no other. It follows every change of the function and stays for ever. The module, and the function's own, must
/// stay loaded. `function.replacement` is ignored. Throws Error as Patch::prepare does, and:
/// unsupported_code: the function's first instructions cannot be executed elsewhere, or it jumps back to its own entry.
CodeAddress original_of(const PatchTarget& function, const void* module);

}  // namespace moult::internal
