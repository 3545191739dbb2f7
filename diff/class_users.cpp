// Values in memory that the program takes by itself are found by diff/placed_objects.
#include "diff/class_users.hpp"

#include <dwarf.h>

#include "symbols/class_name.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/use_search.hpp"

namespace moult::internal::diff {
namespace {

bool defines(const DebugUnit& unit, const ClassName& wanted) {
  bool found = false;
  visit_classes(unit.content, {}, [&](const Dwarf_Die& die, const std::string& scope) {
    found = found || (is_class(die, scope, wanted) && is_definition(full_class(die)));
  });
  return found;
}

}  // namespace

ClassUsers users_of(const DebugInfo& info, const std::string& class_name) {
  const ClassName wanted(class_name);
  const KnownClass known = find_class(info, wanted);
  ClassUsers users;
  const ValueHolders holders = holders_of(info, wanted, known);
  for (const std::string& each : holders.classes)
    users.values.push_back(each.empty() ? "a class without a name" : each);
  for (Dwarf_Die die : holders.users) {
    if (dwarf_tag(&die) != DW_TAG_subprogram)
      users.values.push_back(std::string(plain_name_of(die)) + " (a variable)");
    else if (const std::optional<std::uint64_t> code = code_of(die))
      users.functions.push_back(*code);
  }
  for (const DebugUnit* const each : known.units)
    if (!each->is_type && defines(*each, wanted)) users.units.push_back(each);
  return users;
}

}  // namespace moult::internal::diff
