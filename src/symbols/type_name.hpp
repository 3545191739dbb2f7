// The demangler's spelling of types in the debug information, for comparing the two.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <string>

#include "symbols/die_attributes.hpp"

namespace moult::internal {

/// The result type of a subprogram: "void", "char const*", "std::vector<int, std::allocator<int> >". Resolves typedefs,
/// as mangled names do. Nothing for an unsupported type, or one without a name outside of its function.
std::optional<std::string> result_type_of(const Dwarf_Die& subprogram);

/// The parameter types in the same spelling: "(int, char const*)", "(char const*, ...)".
std::optional<std::string> parameter_types_of(const Dwarf_Die& subprogram);

/// The type of a variable or a field.
std::optional<std::string> type_name_of(const Dwarf_Die& variable);

/// The name of a type's own entry.
std::optional<std::string> name_of_type_entry(const Dwarf_Die& type);

/// A class's own name: "app::Box<unsigned long>".
std::optional<std::string> class_name_of(const Dwarf_Die& type);

}  // namespace moult::internal
