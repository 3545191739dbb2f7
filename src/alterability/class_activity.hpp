// The code of a class: whether one of its member functions is active.
#pragma once

#include <string_view>
#include <vector>

#include "alterability/quiescence.hpp"

namespace moult::internal {

/// The code of every member function of the class, as typeid, demangled, writes its name, and of the copies of them
/// that were inlined elsewhere. Reads debug information: not in a stopped program where the pause matters. Throws Error
/// (not_found) when there is none.
std::vector<FunctionExtent> extents_of_class(const Program& program, std::string_view class_name);

}  // namespace moult::internal
