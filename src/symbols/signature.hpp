// How a function's arguments and its result are passed, by the types in its debug information.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moult::internal {

enum class Passing {
  nothing,  ///< void
  number,   ///< in a general register: an integer, an enumeration, a pointer, a reference
  vector,   ///< in a vector register: float, double
  unknown,  ///< by its parts or in memory, as a class may be
};

struct Parameter {
  std::string name;  ///< empty if it has none
  Passing passing = Passing::unknown;
  /// The register in which it is at the function's entry, by DWARF number. Nothing if the debug information says none,
  /// as for one that callers do not pass.
  std::optional<std::uint64_t> place{};
};

struct Signature {
  Passing result = Passing::nothing;
  std::uint64_t result_size = 0;  ///< in bytes
  bool takes_object = false;
  std::vector<Parameter> parameters;  ///< `this` first
  bool is_variadic = false;
};

/// Of a subprogram with code, whose declaration may be elsewhere.
Signature signature_of(const Dwarf_Die& subprogram);

}  // namespace moult::internal
