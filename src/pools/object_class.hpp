// A class as the pools know it: by its name, for every module of the process.
#pragma once

#include <cstddef>
#include <string>
#include <typeinfo>
#include <vector>

#include "symbols/class_name.hpp"

namespace moult::internal {

/// A base class at the same offset in every object.
struct FixedBase {
  std::string mangled;
  std::ptrdiff_t offset = 0;
};

/// One for each class of the process, so classes are compared by address.
struct ObjectClass {
  std::string mangled;
  ClassName name;
  const char* distinct;          ///< for a class in an unnamed namespace, the address of its name; else null
  std::vector<FixedBase> bases;  ///< public, not virtual; direct and indirect
};

/// Made at first use, never destroyed. Safe in any thread. Throws std::bad_alloc.
const ObjectClass& object_class_of(const std::type_info& type);

}  // namespace moult::internal
