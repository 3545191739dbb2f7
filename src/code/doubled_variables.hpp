// Variables that an update has again although the program has them.
#pragma once

#include <string>
#include <vector>

namespace moult::internal {

/// The variables of the program, demangled, of which the update in the file `path` has copies of its own: its code
/// would use those, with their first values. Sorted. Reads the symbol tables of the loaded modules only if the file has
/// variables that may be shared. Throws Error (unreadable).
std::vector<std::string> doubled_variables(const std::string& path);

}  // namespace moult::internal
