// The code and the objects of the program that depend on the layout of a class.
//
// Reads every debugging information entry of the modules that know the class: seconds for a big program. In any thread,
// one thread an object, never in a signal handler.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "symbols/class_graph.hpp"
#include "symbols/class_name.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// A function whose parameters, result or variables use the class.
struct ClassUse {
  std::string function;  ///< demangled
  SourceLine place;      ///< of its declaration; line 0 when unknown
  CodeRange code;        ///< run-time addresses
  Reach reach = Reach::layout;
};

/// A static object, global or of a function, whose type uses the class.
struct ClassVariable {
  std::string name;
  SourceLine place;
  Reach reach = Reach::layout;
};

/// An inlined copy of one of the class's member functions.
struct MemberCopy {
  std::string member;  ///< demangled
  SourceLine place;    ///< of the inlined call
  std::string caller;  ///< demangled
  CodeRange caller_code;
  std::vector<CodeRange> code;  ///< the copy's own instructions, run-time addresses
};

struct ClassUses {
  std::vector<ClassUse> functions;
  std::vector<ClassVariable> variables;
  std::vector<MemberCopy> copies;
  std::vector<std::string> problems;  ///< parts of the program that cannot be searched, and the next step
};

/// True if the module was compiled with the class: it has functions with it in their names, or its debug information
/// has it. A file without debug information counts, too, unless it is the system's. For a module that may know the
/// class.
bool uses_class(const ModuleSymbols& symbols, const std::string& path, const ClassName& name);

/// All uses of the class in the loaded modules, except for the module `without`.
ClassUses class_uses(const Program& program, const ClassName& name, std::optional<std::size_t> without = std::nullopt);

/// Only the copies of member functions, in all modules.
std::vector<MemberCopy> member_copies(const Program& program, const ClassName& of_class);

}  // namespace moult::internal
