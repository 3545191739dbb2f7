// The classes of a compilation unit, without its functions: in namespaces and inside of other classes.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <string>
#include <string_view>
#include <vector>

#include "symbols/class_name.hpp"
#include "symbols/debug_info.hpp"

namespace moult::internal {

/// "app::" for the children of namespace app.
std::string scope_inside(Dwarf_Die scope, const std::string& around);

bool is_class_tag(int tag);

/// The class itself, if `die` stands in for a class in a type unit.
Dwarf_Die full_class(const Dwarf_Die& die);

/// True if the class `die`, found in `scope` ("app::"), is `wanted`.
bool is_class(const Dwarf_Die& die, std::string_view scope, const ClassName& wanted);

/// The units that may have an entry of the class, or may refer to such units.
std::vector<const DebugUnit*> units_of(const DebugInfo& info, const ClassName& wanted);

/// Calls `visit(die, scope)` for each class and union under `parent`, whose scope is `scope`. An enclosing class comes
/// before its nested ones.
template <class Visit>
void visit_classes(const Dwarf_Die& parent, const std::string& scope, Visit&& visit) {
  Dwarf_Die from = parent;
  Dwarf_Die child{};
  for (bool more = dwarf_child(&from, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) {
    const int tag = dwarf_tag(&child);
    if (is_class_tag(tag)) visit(child, scope);
    if (tag == DW_TAG_namespace || is_class_tag(tag)) visit_classes(child, scope_inside(child, scope), visit);
  }
}

}  // namespace moult::internal
