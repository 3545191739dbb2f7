// Types of the debug information, written as the demangler writes them, so that the two can be compared.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <string>

namespace moult::symbols {

/// The result type of a subprogram: "void", "char const*", "std::vector<int, std::allocator<int> >". Typedefs are
/// followed, as in mangled names. Nothing for types that have no name outside their function, or that this does not
/// know.
std::optional<std::string> result_type_of(const Dwarf_Die& subprogram);

}  // namespace moult::symbols
