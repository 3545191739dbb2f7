#include "symbols/class_walk.hpp"

#include <algorithm>

#include "symbols/debug_info.hpp"
#include "symbols/type_name.hpp"
#include "symbols/unit_filter.hpp"

namespace moult::internal {

bool is_class_tag(int tag) {
  return tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

std::string scope_inside(Dwarf_Die scope, const std::string& around) {
  const char* name = dwarf_diename(&scope);
  if (name != nullptr) return around + name + "::";
  return dwarf_tag(&scope) == DW_TAG_namespace ? around + "(anonymous namespace)::" : around;
}

Dwarf_Die full_class(const Dwarf_Die& die) {
  Dwarf_Die from = die;
  Dwarf_Attribute attribute{};
  Dwarf_Die target{};
  return dwarf_formref_die(dwarf_attr(&from, DW_AT_signature, &attribute), &target) != nullptr ? target : die;
}

std::vector<const DebugUnit*> units_of(const DebugInfo& info, const ClassName& wanted) {
  // The compiler's spelling of a template's instance is unknown, and a reference by signature has no name.
  const bool reads_all =
      wanted.has_template_arguments() ||
      std::any_of(info.units().begin(), info.units().end(), [](const DebugUnit& unit) { return unit.is_type; });
  if (!reads_all) return UnitFilter(info, std::vector{std::string(wanted.identifier())}).naming_or_referring();
  std::vector<const DebugUnit*> units;
  for (const DebugUnit& unit : info.units()) units.push_back(&unit);
  return units;
}

bool is_class(const Dwarf_Die& die, std::string_view scope, const ClassName& wanted) {
  Dwarf_Die given = die;
  Dwarf_Die from = full_class(given);
  const char* text = dwarf_diename(&given);
  if (text == nullptr) text = dwarf_diename(&from);
  if (text == nullptr) return false;
  const std::string_view own(text);
  if (own.substr(0, own.find('<')) != wanted.identifier()) return false;
  // A nested class, or one in a type unit, may be defined outside of its scope.
  if (!wanted.has_template_arguments() && dwarf_hasattr(&from, DW_AT_specification) == 0)
    return own == wanted.identifier() && scope == wanted.scope();
  return class_name_of(from) == wanted.text();
}

}  // namespace moult::internal
