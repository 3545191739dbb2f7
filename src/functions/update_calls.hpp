// The call graph of a loaded module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/address.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// Functions go by their entries.
struct ModuleCalls {
  std::map<CodeAddress, std::string> names;              ///< of every function; demangled
  std::map<CodeAddress, std::set<CodeAddress>> callers;  ///< by a direct call or jump
  std::map<std::uintptr_t, CodeAddress> data;            ///< functions whose addresses lie in the data, by where
  std::map<std::uintptr_t, std::uintptr_t> objects;      ///< variables and vtables, from the beginning to the end
  std::map<CodeAddress, std::set<CodeAddress>> takers;   ///< functions whose code takes the address
  std::set<CodeAddress> taken;                           ///< functions whose address occurs outside of calls
};

/// Reads the code as it was compiled. Nothing when a function of the module has no name, or some code cannot be
/// decoded.
std::optional<ModuleCalls> calls_in(const Program& program, std::size_t module);

/// `unreachable`, and the functions that only unreachable functions call. Leaves out `kept`, and functions whose
/// address is taken.
std::set<CodeAddress> with_helpers(const ModuleCalls& calls, std::set<CodeAddress> unreachable,
                                   const std::set<CodeAddress>& kept);

}  // namespace moult::internal
