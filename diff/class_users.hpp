// What in a program depends on the objects of a class being as large as they are, by its debug information.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "symbols/debug_info.hpp"

namespace moult::internal::diff {

struct ClassUsers {
  std::vector<std::string>
      values;                  ///< classes and static objects that have values of it: "Cache", "table (a variable)"
  bool shares_values = false;  ///< std::make_shared or std::allocate_shared makes some
  std::vector<std::uint64_t> functions;  ///< that may have values of it on their stack; addresses of the file
  std::vector<const DebugUnit*> units;   ///< that define it
};

/// Reads all debug information that has the class's name.
ClassUsers users_of(const DebugInfo& info, const std::string& class_name);

}  // namespace moult::internal::diff
