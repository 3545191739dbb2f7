// Names that people read and type: of updates and managers, and of types and functions as the source writes them.
#pragma once

#include <string>
#include <string_view>
#include <typeinfo>

namespace moult::internal {

/// Throws Error (invalid_argument) if `name` is empty or holds control characters, which would reach a terminal or a
/// log unchanged. `what` begins the message: "an update's name".
void check_name(std::string_view what, const std::string& name);

/// Demangles a symbol ("_Z..."). Any other text is returned unchanged.
std::string demangle(const std::string& symbol);

/// "std::vector<int, std::allocator<int> >", "int (char const*)".
std::string name_of_type(const std::type_info& type);

}  // namespace moult::internal
