// Where a function's code was copied into its callers, by the debug information.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "symbols/debug_info.hpp"

namespace moult::symbols {

/// What is asked.
struct InlinedFunction {
  std::vector<std::uint64_t> addresses;  ///< where its own code is, pieces included
  std::vector<std::string> names;        ///< mangled, of all its aliases; none for a local function
};

struct InlinedCopy {
  std::string file;
  int line = 0;
  std::uint64_t caller = 0;  ///< an address of the function that the copy is in
  std::string caller_name;   ///< mangled, or plain for C; empty when the debug information has none
};

struct InlinedCopies {
  std::vector<InlinedCopy> copies;  ///< by file and line, without repetitions
  /// False when the unit that defines the function has no debug information, so that copies may be unknown.
  bool is_complete = false;
};

InlinedCopies find_inlined_copies(const DebugInfo& info, const InlinedFunction& function);

}  // namespace moult::symbols
