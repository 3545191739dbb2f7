// Single attributes of debugging information entries.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace moult::internal {

/// A numeric attribute, also from the declaration or the abstract function.
std::optional<std::uint64_t> number_of(Dwarf_Die die, unsigned attribute);
/// The entry that the attribute of this very entry refers to.
std::optional<Dwarf_Die> referred_by(Dwarf_Die die, unsigned attribute);
bool has_flag(Dwarf_Die die, unsigned attribute);

/// The name as written, without scopes; "" when there is none.
std::string_view plain_name_of(Dwarf_Die die);

/// True for the definition of a class itself, not for an entry that refers to one.
bool is_definition(Dwarf_Die type);

/// Bytes; 0 when unknown.
std::uint64_t size_of_type(Dwarf_Die type);

/// True when `member` is no part of the objects.
bool is_static_member(Dwarf_Die member);

/// True when objects of the class begin with a vtable pointer, or a base in them does.
bool has_vtable_pointer(Dwarf_Die type, int depth = 0);

/// The type that DW_AT_type refers to, also by way of the declaration or the abstract function.
std::optional<Dwarf_Die> type_of(Dwarf_Die die);
/// False when what type_of looks for is in a file that could not be opened. Without this, such an entry looks like one
/// without a type: void.
bool is_type_in_sight(Dwarf_Die die);
/// A stand-in for a type unit's type is followed.
Dwarf_Die full_type(const Dwarf_Die& type);
/// What the DIE's DW_AT_type refers to, typedefs and qualifiers followed; nothing for void.
std::optional<Dwarf_Die> bare_type_of(const Dwarf_Die& variable);

template <class Visit>
void for_each_child(Dwarf_Die parent, Visit&& visit) {
  Dwarf_Die child{};
  for (bool more = dwarf_child(&parent, &child) == 0; more; more = dwarf_siblingof(&child, &child) == 0) visit(child);
}

}  // namespace moult::internal
