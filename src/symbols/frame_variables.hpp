// The debug information of a frame: the function of its code, the functions inlined there, and the variables of each
// with their places.
//
// These are values: read while the program runs, and evaluated (location.hpp) in a stop or on a copy of a stack. Not
// thread-safe, like the Program they are read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "symbols/location.hpp"
#include "symbols/program.hpp"
#include "symbols/value_type.hpp"

namespace moult::internal {

struct FrameVariable {
  std::string name;
  ValueType type;
  bool is_parameter = false;
  SourceLine declared;
  bool has_list = false;               ///< the place depends on the code address
  std::vector<LocationEntry> entries;  ///< empty: no place
  std::vector<std::byte> constant;     ///< the variable's constant value, if it has one instead of a place
  std::vector<CodeRange> scope;        ///< the code in which the name refers to it
  std::size_t depth = 0;               ///< nesting depth of the scope: a deeper variable hides others
};

/// A function at a place of code.
struct FrameFunction {
  std::string name;  ///< demangled, with parameters; the plain name if nothing else is known
  bool is_inlined = false;
  SourceLine line;                       ///< if inlined: the place of the call
  std::vector<FrameVariable> variables;  ///< in scope there, the innermost scope's first
};

/// The code up to the next CodeLine belongs to this line.
struct CodeLine {
  CodeAddress code{};
  int line = 0;
  bool begins = false;  ///< begins a statement, on another line than the code before
};

struct FrameDescription {
  std::vector<FrameFunction> functions;  ///< the innermost inlined function first, the function with the code last
  std::vector<LocationEntry> frame_base;
  CodeAddress entry{};
  CodeAddress body{};           ///< behind the prologue; the entry when that is unknown
  std::vector<CodeLine> lines;  ///< sorted; only from variables_named
  std::string file;             ///< of the lines
};

/// "app.cpp:42" by the lines of `described`; the address when they have none.
std::string place_text(const FrameDescription& described, CodeAddress address);
/// True where a line's statement begins.
bool begins_statement(const FrameDescription& described, CodeAddress address);

/// The functions and variables at a place of code; nothing without debug information.
std::optional<FrameDescription> describe_frame(const Program& program, CodeAddress address);

/// Every variable of that name in the function with code at `address`, each with its scope; without variables of
/// inlined functions. Fills `described` with the rest that locates them in a frame.
std::vector<FrameVariable> variables_named(const Program& program, CodeAddress address, std::string_view name,
                                           FrameDescription& described);
/// The names of all its variables, for an error message.
std::vector<std::string> variable_names(const Program& program, CodeAddress address);

/// The value that a call put into an argument register, by the caller's frame.
struct CallValue {
  std::uint64_t number = 0;
  LocationExpression value;
};

/// The argument registers at the call of the function with code at `callee`, made before `return_address`. Empty unless
/// that very call is known to have entered the function: not by pointer, and not through a tail call.
std::vector<CallValue> values_at_call(const Program& program, CodeAddress callee, CodeAddress return_address);

}  // namespace moult::internal
