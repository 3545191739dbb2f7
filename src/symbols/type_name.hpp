// Types of the debug information, written as the demangler writes them, so that the two can be compared.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <string>

#include "symbols/die_attributes.hpp"

namespace moult::internal {

/// The result type of a subprogram: "void", "char const*", "std::vector<int, std::allocator<int> >". Typedefs are
/// followed, as in mangled names. Nothing for types that have no name outside their function, or that this does not
/// know.
std::optional<std::string> result_type_of(const Dwarf_Die& subprogram);

/// Those of its parameters, as the demangler writes them: "(int, char const*)", "(char const*, ...)".
std::optional<std::string> parameter_types_of(const Dwarf_Die& subprogram);

/// The same of the type of a variable or a field.
std::optional<std::string> type_name_of(const Dwarf_Die& variable);

/// The same of a type's own entry.
std::optional<std::string> name_of_type_entry(const Dwarf_Die& type);

/// A class's own name: "app::Box<unsigned long>".
std::optional<std::string> class_name_of(const Dwarf_Die& type);

}  // namespace moult::internal
