// Looks up a variable of a function by name and type, and words the refusals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "stacks/frame_values.hpp"
#include "symbols/frame_variables.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// The variables of one name in a function, each with its scope.
struct NamedLocals {
  std::string function;  ///< "worker(int)"
  std::string name;
  std::vector<FrameVariable> variables;
  FrameDescription described;

  /// "x of worker(int)".
  std::string text() const { return name + " of " + function; }
  /// The variable that the name means there; null when none is in scope.
  const FrameVariable* at(CodeAddress address) const;
};

/// Throws Error: unsupported (no debug information), not_found (with the names of the function's variables).
NamedLocals find_locals(const Program& program, CodeAddress address, const std::string& function,
                        std::string_view name);

/// Throws Error (signature_mismatch) unless the variable is of that type and size.
void require_type(const NamedLocals& locals, const FrameVariable& variable, const std::type_info& type,
                  std::size_t size);

/// "app.cpp:42", or the address when the line is unknown.
std::string place_text(const Program& program, CodeAddress address);

/// "optimized out at app.cpp:42; ...", for a variable that is not completely available.
std::string missing_text(const FoundVariable& found, const std::string& place);

}  // namespace moult::internal
