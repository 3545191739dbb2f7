// The search for uses of a class in one module's debug information.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "symbols/class_graph.hpp"
#include "symbols/class_name.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/debug_info.hpp"

namespace moult::internal {

/// The class and its member functions in one module, by their entries.
struct KnownClass {
  std::vector<const DebugUnit*> units;  ///< all units that may use it
  std::unordered_set<const void*> entries;
  std::unordered_set<const void*> functions;
};

KnownClass find_class(const DebugInfo& info, const ClassName& wanted);

/// What has a value of a class in it, or in what it has: a member, an array, a container of values, a base, a copy in a
/// lambda.
struct ValueHolders {
  std::vector<std::string> classes;  ///< with data, and allocators; each once, "" for one without a name
  std::vector<Dwarf_Die> users;      ///< functions with code, and static objects; a function may have several entries
};
ValueHolders holders_of(const DebugInfo& info, const ClassName& wanted, const KnownClass& known);

/// Calls `found` for each function with code, and each static object, that uses the class `wanted`. A function may have
/// several entries.
void find_uses(const DebugInfo& info, const ClassName& wanted, const KnownClass& known,
               const std::function<void(const Dwarf_Die& die, Reach reach)>& found);

}  // namespace moult::internal
