// Variables that an update has again although the program has them.
#pragma once

#include <string>
#include <vector>

namespace moult::internal {

/// The program's variables that the update in the file `path` defines again, demangled and sorted. The update's code
/// would use its copies, with their first values. Reads the program's symbol table only if the file has variables that
/// may be shared. Throws Error (unreadable).
std::vector<std::string> doubled_variables(const std::string& path);

}  // namespace moult::internal
