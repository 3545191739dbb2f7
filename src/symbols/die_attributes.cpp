#include "symbols/die_attributes.hpp"

namespace moult::internal {

std::optional<std::uint64_t> number_of(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute found{};
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr_integrate(&die, attribute, &found), &value) != 0) return std::nullopt;
  return value;
}

std::optional<Dwarf_Die> referred_by(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute found{};
  Dwarf_Die target{};
  if (dwarf_formref_die(dwarf_attr(&die, attribute, &found), &target) == nullptr) return std::nullopt;
  return target;
}

bool has_flag(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute found{};
  bool is_set = false;
  return dwarf_formflag(dwarf_attr_integrate(&die, attribute, &found), &is_set) == 0 && is_set;
}

std::string_view plain_name_of(Dwarf_Die die) {
  const char* name = dwarf_diename(&die);
  return name != nullptr ? name : std::string_view();
}

bool is_definition(Dwarf_Die type) {
  return dwarf_hasattr(&type, DW_AT_declaration) == 0 && dwarf_hasattr(&type, DW_AT_byte_size) != 0;
}

std::uint64_t size_of_type(Dwarf_Die type) {
  Dwarf_Word size = 0;
  if (dwarf_aggregate_size(&type, &size) == 0) return size;
  if (dwarf_tag(&type) != DW_TAG_ptr_to_member_type) return 0;
  // Compilers leave it out: pointers to functions have two words, those to fields one (Itanium C++ ABI).
  std::optional<Dwarf_Die> target = referred_by(type, DW_AT_type);
  return target && dwarf_tag(&*target) == DW_TAG_subroutine_type ? 2 * sizeof(void*) : sizeof(void*);
}

bool is_static_member(Dwarf_Die member) {
  return has_flag(member, DW_AT_external) || has_flag(member, DW_AT_declaration);
}

bool has_vtable_pointer(Dwarf_Die type, int depth) {
  constexpr int deepest = 30;  // only damaged files nest deeper
  // Told of every polymorphic class, also where a base is only declared.
  bool found = dwarf_hasattr(&type, DW_AT_containing_type) != 0;
  for_each_child(type, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_member && has_flag(child, DW_AT_artificial))
      found = found || plain_name_of(child).substr(0, 5) == "_vptr";
    if (tag != DW_TAG_inheritance || depth > deepest) return;
    const std::optional<Dwarf_Die> base = bare_type_of(child);
    found = found || (base && has_vtable_pointer(*base, depth + 1));
  });
  return found;
}

std::optional<Dwarf_Die> type_of(Dwarf_Die die) {
  Dwarf_Attribute attribute{};
  Dwarf_Die type{};
  if (dwarf_formref_die(dwarf_attr_integrate(&die, DW_AT_type, &attribute), &type) == nullptr) return std::nullopt;
  return type;
}

bool is_type_in_sight(Dwarf_Die die) {
  constexpr int most = 8;  // a damaged file may have a cycle
  for (int parts = 0; parts < most; ++parts) {
    if (dwarf_hasattr(&die, DW_AT_type) != 0) return referred_by(die, DW_AT_type).has_value();
    const bool is_copy = dwarf_hasattr(&die, DW_AT_abstract_origin) != 0;
    if (!is_copy && dwarf_hasattr(&die, DW_AT_specification) == 0) return true;
    const std::optional<Dwarf_Die> next = referred_by(die, is_copy ? DW_AT_abstract_origin : DW_AT_specification);
    if (!next) return false;
    die = *next;
  }
  return true;
}

Dwarf_Die full_type(const Dwarf_Die& type) { return referred_by(type, DW_AT_signature).value_or(type); }

std::optional<Dwarf_Die> bare_type_of(const Dwarf_Die& variable) {
  constexpr int deepest = 40;  // a damaged file may point in a circle
  std::optional<Dwarf_Die> type = type_of(variable);
  for (int depth = 0; type && depth < deepest; ++depth) {
    const int tag = dwarf_tag(&*type);
    const bool is_other_name = tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
                               tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
    if (!is_other_name) return full_type(*type);
    type = type_of(*type);
  }
  return std::nullopt;
}

}  // namespace moult::internal
