// A class as the pools know it: by its name, whatever module speaks of it.
#pragma once

#include <cstddef>
#include <string>
#include <typeinfo>
#include <vector>

namespace moult::internal {

/// A base class that every object of a class has at the same place.
struct FixedBase {
  std::string name;  ///< mangled
  std::ptrdiff_t offset = 0;
};

/// One for each class of the process: the same class has the same address.
struct ObjectClass {
  std::string name;              ///< mangled
  std::string readable;          ///< demangled
  const char* distinct;          ///< of a class in an unnamed namespace, the name's own address; null for others
  std::vector<FixedBase> bases;  ///< public ones that are not virtual, theirs included
};

/// Made at its first use, and there to stay. Safe for several threads. Throws std::bad_alloc.
const ObjectClass& object_class_of(const std::type_info& type);

}  // namespace moult::internal
