// The search for uses of a class in one module's debug information.
#pragma once

#include <functional>
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

/// Calls `found` for each function with code, and each static object, that uses the class `wanted`. A function may have
/// several entries.
void find_uses(const DebugInfo& info, const ClassName& wanted, const KnownClass& known,
               const std::function<void(const Dwarf_Die& die, Reach reach)>& found);

}  // namespace moult::internal
