// Mangled names as they are written in the source.
#pragma once

#include <string>
#include <typeinfo>

namespace moult::internal {

/// Of a symbol ("_Z..."); any other text is returned as it is.
std::string demangle(const std::string& symbol);

/// "std::vector<int, std::allocator<int> >", "int (char const*)".
std::string name_of_type(const std::type_info& type);

}  // namespace moult::internal
