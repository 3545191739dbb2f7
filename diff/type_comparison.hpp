// The types of an edited source, compared with the types that the program was compiled with.
//
// New code works on objects and variables that the program has made. Where a class has another layout, or a variable
// another type, it would misread them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "symbols/debug_info.hpp"
#include "symbols/layout_comparison.hpp"

namespace moult::internal::diff {

/// A class that the edit has changed.
struct ChangedClass {
  std::string name;
  Dwarf_Die old{};
  Dwarf_Die fresh{};
  std::string difference;  ///< a line each
};

struct TypeComparison {
  std::vector<ChangedClass> classes;  ///< that the program may have objects of
  std::vector<std::string> refusals;  ///< variables that differ, and classes that cannot be told apart; a text each
  /// Functions whose lambdas differ (one was added or removed, or has other captures), with the difference. The program
  /// may hold some of them.
  std::map<std::string, std::string> lambdas;
  std::vector<std::string> notes;
  /// What is new: "class app::Node", "variable app::sum", and its make-up. A later edit must have the same.
  std::map<std::string, std::string> news;
  /// The types of all variables, by the last name; "?" where several have it with different types.
  std::map<std::string, std::string> variables;
  /// Where variables are in the fresh file that are copied byte by byte: numbers, pointers, trivially copyable classes,
  /// atomic ones.
  std::set<std::uint64_t> plain;
  /// Functions have not the same static variables by name.
  bool has_other_statics = false;
  bool has_types = true;  ///< false: compiled with -g1, which tells of none
};

/// Where the debug information places a variable; nothing if it is none with a place of its own.
std::optional<std::uint64_t> address_of_variable(Dwarf_Die variable);

/// Of all classes of the source, also in functions and unnamed namespaces, and of those that only variables, fields or
/// typedefs name. Classes of headers below /usr are the same for both, and left out.
TypeComparison compare_types(const DebugUnit& old, const DebugUnit& fresh);

}  // namespace moult::internal::diff
