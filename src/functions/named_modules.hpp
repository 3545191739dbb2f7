// Modules as a user names them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "symbols/program.hpp"

namespace moult::internal {

/// The numbers of the loaded modules of these names, of files or paths; the program itself where none is given. Throws
/// Error: not_found.
std::vector<std::size_t> find_modules(const Program& program, const std::vector<std::string>& names);

}  // namespace moult::internal
