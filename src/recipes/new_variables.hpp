// New variables of edits that code initialises, as it does before main in a program that starts.
//
// They begin in the stop of the first edit that brings them, when all of its functions and objects are new. A variable
// is there for good: if the edit fails afterwards or is rolled back, the variable keeps its value for the next one.
#pragma once

#include <string>
#include <vector>

#include "moult/detail/edited_variable.hpp"

namespace moult::internal {

using detail::NewVariable;

/// Initialises those of `variables` that have not begun, in order. In a stop. Throws Error, of the exception's kind: an
/// initialiser of `edit` threw; this variable and those behind it have not begun.
void begin_variables(const std::vector<const NewVariable*>& variables, const std::string& edit);

}  // namespace moult::internal
