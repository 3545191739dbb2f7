// Which functions of a loaded module call which.
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

/// By the functions' entries.
struct ModuleCalls {
  std::map<CodeAddress, std::string> names;              ///< of every function; demangled
  std::map<CodeAddress, std::set<CodeAddress>> callers;  ///< by a call or a jump that names the function
  std::map<std::uintptr_t, CodeAddress> data;            ///< functions whose addresses lie in the data, by where
  std::map<std::uintptr_t, std::uintptr_t> objects;      ///< variables and vtables, from the beginning to the end
  std::set<CodeAddress> taken;                           ///< those whose address is somewhere else than in a call
};

/// Reads the code as it was compiled. Nothing where not all functions of the module have a name, or some of its code
/// cannot be decoded.
std::optional<ModuleCalls> calls_in(const Program& program, std::size_t module);

/// `spent`, and those that only spent functions call: whose address nobody has, and which are none of `kept`.
std::set<CodeAddress> with_helpers(const ModuleCalls& calls, std::set<CodeAddress> spent,
                                   const std::set<CodeAddress>& kept);

}  // namespace moult::internal
