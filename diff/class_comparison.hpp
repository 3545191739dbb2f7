// The classes of an edited source, compared with those that the program was compiled with.
//
// New code works on objects that the program has made. Where a class has another layout, it would misread them.
#pragma once

#include <string>
#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/layout_comparison.hpp"

namespace moult::internal::diff {

struct ClassDifference {
  std::string name;
  std::string text;         ///< the differences, a line each
  bool is_closure = false;  ///< of a lambda; `name` is then the function around it
};

/// The classes that the source of `fresh` defines otherwise than that of `old`, also in functions and unnamed
/// namespaces. Classes of headers below /usr are the same for both, and left out. Lambdas of a function differ if one
/// was added or removed, or has other captures.
std::vector<ClassDifference> compare_classes(const DebugUnit& old, const DebugUnit& fresh);

}  // namespace moult::internal::diff
