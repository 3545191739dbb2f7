// Demangling: names from symbol tables and type_info, as they are written in the source.
#pragma once

#include <string>
#include <typeinfo>

namespace moult::internal {

/// Demangles a symbol ("_Z..."). Any other text is returned unchanged.
std::string demangle(const std::string& symbol);

/// "std::vector<int, std::allocator<int> >", "int (char const*)".
std::string name_of_type(const std::type_info& type);

}  // namespace moult::internal
