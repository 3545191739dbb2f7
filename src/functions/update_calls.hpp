// Which functions of a loaded module call which.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/address.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// By the functions' entries.
struct ModuleCalls {
  std::map<CodeAddress, std::string> names;              ///< of every function; demangled
  std::map<CodeAddress, std::set<CodeAddress>> callers;  ///< by a call or a jump that names the function
  std::set<CodeAddress> taken;                           ///< those whose address is somewhere else than in a call
};

/// Reads the code as it was compiled. Nothing where not all functions of the module have a name, or some of its code
/// cannot be decoded.
std::optional<ModuleCalls> calls_in(const Program& program, std::size_t module);

/// `unreachable`, and those that only unreachable functions call: whose address nobody has, and which are none of
/// `kept`.
std::set<CodeAddress> with_helpers(const ModuleCalls& calls, std::set<CodeAddress> unreachable,
                                   const std::set<CodeAddress>& kept);

}  // namespace moult::internal
