// The variables that guard the initialisation of function-local statics (Itanium C++ ABI, 3.3.3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moult::internal {

struct GuardVariable {
  std::uintptr_t address = 0;  ///< in the file; add the module's bias
  std::string name;            ///< demangled: "guard variable for main()::server"
};

/// The guard variables of an ELF file, by its symbol table. Empty when the file cannot be read: a removed library must
/// not make a program impossible to update.
std::vector<GuardVariable> guard_variables(const std::string& path);

}  // namespace moult::internal
