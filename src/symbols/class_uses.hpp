// Which code and which objects of the program depend on how a class is laid out.
//
// Reads every debugging information entry of the modules that know the class: seconds for a big program. In any thread,
// one thread an object, never in a signal handler.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "symbols/class_graph.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// A function with code whose parameters, result or variables reach the class.
struct ClassUse {
  std::string function;  ///< demangled
  SourceLine place;      ///< of its declaration; line 0 when unknown
  CodeRange code;        ///< run-time addresses
  Reach reach = Reach::layout;
};

/// A static object, global or of a function, whose type reaches the class.
struct ClassVariable {
  std::string name;
  SourceLine place;
  Reach reach = Reach::layout;
};

/// A copy of one of the class's member functions in a caller.
struct MemberCopy {
  std::string member;  ///< demangled
  SourceLine place;    ///< of the call that it stands for
  std::string caller;  ///< demangled
  CodeRange caller_code;
  std::vector<CodeRange> code;  ///< the copy's own instructions, run-time addresses
};

struct ClassUses {
  std::vector<ClassUse> functions;
  std::vector<ClassVariable> variables;
  std::vector<MemberCopy> copies;
  std::vector<std::string> problems;  ///< what of the program could not be looked at, and the next step
};

/// All uses of the class `name` in the loaded modules, but for the module `without`.
ClassUses class_uses(const Program& program, std::string_view name, std::optional<std::size_t> without = std::nullopt);

/// Only the copies of member functions, in all modules.
std::vector<MemberCopy> member_copies(const Program& program, std::string_view class_name);

}  // namespace moult::internal
