// New variables that code initialises before main. Such code runs when a program starts, all of a source's at once, and
// a program that runs has been through it. So each of them gets a function of its own, which the compiler makes with
// the source, from the initialiser in its text.
//
// Limits: inline variables and static members, references, thread-local variables; each is refused by the plan.
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "diff/file_comparison.hpp"
#include "diff/object_file.hpp"
#include "diff/preprocessed_source.hpp"

namespace moult::internal::diff {

/// Full names of new variables, and whether the object has them: one that nothing reads has no symbol, and may yet be
/// initialised by code that has effects.
using NewVariables = std::map<std::string, bool>;

/// Those that the program lacks and that start code of the object may initialise. `unit` is the object's debug
/// information.
NewVariables begun_by_code(const ObjectFile& object, const FileComparison& comparison, const Dwarf_Die& unit);

/// For the source's text: a function that makes the variable, and its entry in a table.
struct VariableBeginning {
  std::string variable;
  std::size_t place = 0;  ///< behind the variable's definition
  std::string code;
};

/// In the order of their definitions, but for what the limits say. `unit` is the debug information of the source's
/// object. `first` and the numbers from there on are their order among those of all sources.
std::vector<VariableBeginning> beginnings_of(const NewVariables& variables, const Dwarf_Die& unit,
                                             const PreprocessedSource& source, std::size_t first);

}  // namespace moult::internal::diff
