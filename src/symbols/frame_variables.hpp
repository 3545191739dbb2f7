// What the debug information says of a frame: the function that its code belongs to, those that are inlined there, and
// the variables of each with where they are.
//
// All of it is values: it is read while the program runs, and evaluated (location.hpp) in a stop or on a copy of a
// stack. Not thread-safe, as the Program that it is read from.
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
  bool has_list = false;               ///< where it is depends on the code's address
  std::vector<LocationEntry> entries;  ///< none: it is nowhere
  std::vector<std::byte> constant;     ///< it always has this value, and no place
  std::vector<CodeRange> scope;        ///< the code in which the name means it
  std::size_t depth = 0;               ///< of its scope: a greater one hides a smaller
};

/// A function at a place of code.
struct FrameFunction {
  std::string name;  ///< demangled, with parameters; the plain name where nothing else is known
  bool is_inlined = false;
  SourceLine line;                       ///< inlined: where it was called
  std::vector<FrameVariable> variables;  ///< those in scope there, the innermost scope's first
};

/// From here to the next one code is of that line.
struct CodeLine {
  CodeAddress code{};
  int line = 0;
  bool begins = false;  ///< a statement, on another line than what lies before it
};

struct FrameDescription {
  std::vector<FrameFunction> functions;  ///< the innermost inlined one first, the function with the code last
  std::vector<LocationEntry> frame_base;
  CodeAddress entry{};
  CodeAddress body{};           ///< where the prologue is over; the entry when that is not known
  std::vector<CodeLine> lines;  ///< sorted; only from variables_named
  std::string file;             ///< that the lines are of
};

/// "app.cpp:42" by the lines of `described`; the address where they do not tell.
std::string place_text(const FrameDescription& described, CodeAddress address);
/// True where a line's statement begins.
bool begins_statement(const FrameDescription& described, CodeAddress address);

/// What is at a place of code; nothing without debug information.
std::optional<FrameDescription> describe_frame(const Program& program, CodeAddress address);

/// Every variable of that name in the function whose code is at `address`, with the scope of each; those of functions
/// inlined into it are not its own. `described` gets what else is needed to find them in a frame.
std::vector<FrameVariable> variables_named(const Program& program, CodeAddress address, std::string_view name,
                                           FrameDescription& described);
/// The names of all its variables, for an error.
std::vector<std::string> variable_names(const Program& program, CodeAddress address);

/// What a call put into a register that its callee got a parameter in, in terms of the caller's frame.
struct CallValue {
  std::uint64_t number = 0;
  LocationExpression value;
};

/// What registers held when the function with code at `callee` was called from before `return_address`; none where it
/// is not certain that this very call led there: by a pointer, or with a jump from function to function in between.
std::vector<CallValue> values_at_call(const Program& program, CodeAddress callee, CodeAddress return_address);

}  // namespace moult::internal
