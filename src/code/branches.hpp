// Direct calls and jumps to given functions, found without debug information: the search tries every byte at which one
// could begin, and believes those that the code around them, decoded from its beginning, has there.
#pragma once

#include <span>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

struct Branch {
  CodeAddress at{};      ///< of the instruction
  CodeAddress target{};  ///< one of those looked for
  CodeRange code;        ///< around it, usually a function
  bool is_call = false;  ///< or else a jump, as at the end of a function (a tail call)
};

/// The branches in `code` to `targets`, which are sorted, from other code; by address. Reads all bytes of `code`, which
/// must be mapped. Finds those in code with unwind information.
std::vector<Branch> branches_to(std::span<const CodeAddress> targets, CodeRange code);

/// The executable memory in `text`, the addresses of a module's code.
std::vector<CodeRange> executable_in(CodeRange text);

}  // namespace moult::internal
