// Variables by their name: global ones, and static ones of files, classes and functions.
//
// Reads files only, like Program: in any thread, one thread an object, never in a signal handler.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/program.hpp"

namespace moult::internal {

struct NamedVariable {
  std::string name;            ///< "app::cache", "app::next()::count"
  std::string type;            ///< as the demangler writes it, without qualifiers around it; "" when unknown
  std::uint64_t size = 0;      ///< bytes; 0 when unknown
  std::string source;          ///< the file of its declaration; "" when unknown
  std::size_t module = 0;      ///< an index in Program::modules()
  std::uintptr_t address = 0;  ///< 0 for a variable of each thread
};

/// "app::next()::count" of "::app::next(int)::count": what NamedVariable::name is compared with.
std::string variable_name(std::string_view text);

/// Those of the loaded modules whose last name is `identifier`, without updates' own. By debug information; by symbols
/// in modules without any, where all functions' variables in C have unknown functions.
std::vector<NamedVariable> variables_named(const Program& program, const std::string& identifier);

/// The static variables of the C++ function `mangled` in one of Program::modules(), as it was compiled there, by their
/// last names: "count". By symbols.
std::vector<NamedVariable> static_variables_of(const Program& program, std::size_t module, std::string_view mangled);

}  // namespace moult::internal
