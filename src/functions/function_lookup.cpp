// Looks up functions by their demangled name.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "functions/refusals.hpp"
#include "moult/error.hpp"
#include "moult/relinking.hpp"
#include "symbols/name_query.hpp"
#include "symbols/program.hpp"
#include "threads/current_stop.hpp"

namespace moult {
namespace {

using internal::FunctionSymbol;

struct Signature {
  std::string result;      ///< "int"; empty when the name does not show it
  std::string parameters;  ///< "(int, char const*)"; empty for a C function
  std::string qualifiers;  ///< "const", "const&"
  std::string class_name;  ///< of a pointer to a member: "ns::C"
};

std::string without_spaces(std::string_view text) {
  std::string squeezed(text);
  std::erase(squeezed, ' ');
  return squeezed;
}

/// The position of the parenthesis that matches the one at `close`.
std::size_t opening_of(std::string_view text, std::size_t close) {
  int depth = 0;
  for (std::size_t at = close + 1; at-- > 0;) {
    if (text[at] == ')') ++depth;
    if (text[at] == '(' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

/// "int (ns::C::*)" is the result and the class of a pointer to a member.
void split_off_class(Signature& signature) {
  constexpr std::string_view mark = "::*)";
  if (!signature.result.ends_with(mark)) return;
  std::size_t open = opening_of(signature.result, signature.result.size() - 1);
  if (open == std::string::npos) return;
  signature.class_name = signature.result.substr(open + 1, signature.result.size() - mark.size() - open - 1);
  signature.result.erase(signature.result.find_last_not_of(' ', open - 1) + 1);
}

/// Splits a demangled function or function type at its last parenthesised group: "int (int)", "ns::f(int) const", "int
/// (ns::C::*)(int) const".
Signature split(std::string_view demangled) {
  std::size_t close = demangled.rfind(')');
  if (close == std::string_view::npos) return {};
  std::size_t open = opening_of(demangled, close);
  if (open == std::string_view::npos) return {};
  std::string_view result = demangled.substr(0, open);
  while (result.ends_with(' ')) result.remove_suffix(1);
  Signature signature{std::string(result),
                      std::string(demangled.substr(open, close + 1 - open)),
                      without_spaces(demangled.substr(close + 1)),
                      {}};
  split_off_class(signature);
  return signature;
}

std::string describe(const FunctionSymbol& function) {
  std::string text = function.demangled + " in " + (function.source.empty() ? function.module : function.source);
  if (function.range.size() == 0) text += " (only its clones are left: " + function.clones.front() + ")";
  return text;
}

std::string list(const std::vector<FunctionSymbol>& functions) {
  std::string text;
  for (const FunctionSymbol& function : functions) text += (text.empty() ? "" : "; ") + describe(function);
  return text;
}

/// Modules whose files could not be read; the function may be in one of them.
std::string list_problems(const internal::Program& program) {
  std::string text;
  for (const internal::Module& module : program.modules())
    if (!module.problem.empty()) text += "; of one library nothing is known: " + module.problem;
  return text;
}

/// The function has a definition, but no code that could be redefined.
[[noreturn]] void throw_inlined(std::string_view name, const std::vector<internal::InlinedSite>& sites) {
  const std::string where = sites.empty() ? "of the program's own no code is left: it was inlined, or nothing calls it"
                                          : "inlined everywhere, at " + internal::list_sites(sites);
  throw Error(ErrorCode::inlined, std::string(name) + ": " + where +
                                      "; mark it MOULT_UPDATABLE and build again, or redefine what it is inlined in");
}

[[noreturn]] void throw_not_found(const internal::Program& program, std::string_view name) {
  const internal::SourceDefinition source = program.source_definition(name);
  if (source.is_defined || !source.copies.empty()) throw_inlined(name, source.copies);
  std::string text = std::string(name) + ": no function of that name has a symbol";
  const std::vector<FunctionSymbol> similar = program.similar(name, 5);
  const std::string problems = list_problems(program);
  if (!similar.empty()) text += "; there are " + list(similar);
  text += problems;
  if (program.is_stripped())
    text += "; the program is stripped: only what it shows to libraries has a name";
  else if (similar.empty() && problems.empty())
    text += "; moult functions lists those there are";
  throw Error(ErrorCode::not_found, text);
}

/// Several modules may define the same function; calls reach the first one in the loader's order. An exported function
/// shadows the private ones of other libraries. A function of the program shadows an update's own copy of it.
void keep_first_of_each(const internal::Program& program, std::vector<FunctionSymbol>& functions) {
  const std::string& program_path = program.modules().front().path;
  const auto is_copy_of = [&](const FunctionSymbol& function, const FunctionSymbol& other) {
    return other.mangled == function.mangled && (function.is_local || other.module == program_path) &&
           program.is_in_update(function) && !program.is_in_update(other);
  };
  std::vector<FunctionSymbol> kept;
  for (const FunctionSymbol& function : functions) {
    bool is_shadowed = std::any_of(functions.begin(), functions.end(), [&](const FunctionSymbol& other) {
      if (is_copy_of(function, other)) return true;
      if (other.is_local) return false;
      if (function.is_local) return function.module != program_path && function.module != other.module;
      return &other < &function && other.mangled == function.mangled;
    });
    if (!is_shadowed) kept.push_back(function);
  }
  functions = std::move(kept);
}

bool is_programs_own(const internal::Program& program, const FunctionSymbol& function) {
  return function.module == program.modules().front().path;
}

/// The name alone for a function of the program; with the module for others.
std::string called(const internal::Program& program, const FunctionSymbol& function) {
  return is_programs_own(program, function) ? function.demangled : function.demangled + " in " + function.module;
}

/// A function of the program of that name is meant instead.
void refuse_indirect(const internal::Program& program, const std::vector<FunctionSymbol>& indirect,
                     const std::vector<FunctionSymbol>& fitting) {
  if (indirect.empty() || std::any_of(fitting.begin(), fitting.end(), [&](const FunctionSymbol& function) {
        return is_programs_own(program, function);
      }))
    return;
  internal::throw_indirect(indirect.front());
}

/// A library may have a function with the name of one of the program's. The program's is meant, and may have been
/// inlined.
void require_programs_own(const internal::Program& program, std::string_view name, const FunctionSymbol& function) {
  if (is_programs_own(program, function) || program.is_in_update(function) || !program.defines(name)) return;
  throw_inlined(name, program.source_definition(name).copies);
}

/// Checks what the name does not show: the result, and the parameters of a C function.
void require_types(const internal::Program& program, const FunctionSymbol& function, const Signature& wanted) {
  const std::string next = "; ask for it with its own signature";
  std::optional<std::string> result = program.result_type(function);
  if (result && *result != wanted.result)
    throw Error(ErrorCode::signature_mismatch,
                called(program, function) + " returns " + *result + ", not " + wanted.result + next);
  if (!split(function.demangled).parameters.empty()) return;
  std::optional<std::string> parameters = program.parameter_types(function);
  if (parameters && *parameters != wanted.parameters)
    throw Error(ErrorCode::signature_mismatch,
                called(program, function) + " has the parameters " + *parameters + ", not " + wanted.parameters + next);
}

/// A method gets its object as a hidden first argument: called as a free function, all arguments would shift by one.
void require_kind(const internal::Program& program, const FunctionSymbol& function, const Signature& wanted) {
  const std::string scope(internal::scope_of(internal::qualified_name(function.demangled)));
  const Signature own = split(function.demangled);
  const std::optional<bool> takes_object = program.takes_object(function);
  if (wanted.class_name.empty() && takes_object.value_or(false))
    throw Error(ErrorCode::signature_mismatch, function.demangled + " is a method: ask for it as " + wanted.result +
                                                   " (" + scope + "::*)" + wanted.parameters + own.qualifiers);
  if (wanted.class_name.empty()) return;
  if (!takes_object.value_or(true))
    throw Error(ErrorCode::signature_mismatch, function.demangled + " is called without an object: ask for it as " +
                                                   wanted.result + " " + wanted.parameters);
  if (internal::without_unnamed_namespaces(scope) != internal::without_unnamed_namespaces(wanted.class_name))
    throw Error(ErrorCode::signature_mismatch,
                function.demangled + " is no method of " + wanted.class_name + "; name its own class");
}

/// Decides by the name alone. The caller asks the debug information about the remaining function only.
bool fits(const FunctionSymbol& function, const Signature& wanted) {
  const Signature own = split(function.demangled);
  if (own.parameters.empty()) return true;
  return own.parameters == wanted.parameters && (wanted.class_name.empty() || own.qualifiers == wanted.qualifiers);
}

}  // namespace

namespace detail::inline MOULT_ABI_NAMESPACE {

const void* find_function(std::string_view name, const std::type_info& signature) {
  internal::check_name("a function's name", std::string(name));
  internal::Program program = internal::Program::of_this_process();
  internal::require_short_reading("moult::function", "call it in prepare, and keep its result",
                                  [&] { return program.debug_info_size(internal::NameQuery(name).identifier()); });
  const internal::NamedFunctions found = program.named(name);
  const std::vector<FunctionSymbol>& named = found.direct;
  const Signature wanted = split(internal::name_of_type(signature));
  std::vector<FunctionSymbol> fitting;
  std::copy_if(named.begin(), named.end(), std::back_inserter(fitting),
               [&wanted](const FunctionSymbol& function) { return fits(function, wanted); });
  refuse_indirect(program, found.indirect, fitting);
  if (named.empty()) throw_not_found(program, name);
  if (fitting.empty())
    throw Error(ErrorCode::signature_mismatch, std::string(name) + ": none has the parameters " + wanted.parameters +
                                                   wanted.qualifiers + "; there are " + list(named));
  keep_first_of_each(program, fitting);
  if (fitting.size() > 1)
    throw Error(ErrorCode::ambiguous,
                std::string(name) + " fits " + std::to_string(fitting.size()) + " functions: " + list(fitting) +
                    "; name the namespace, or put the source file in front (file.cpp:" + std::string(name) + ")");
  if (fitting.front().range.size() == 0)
    throw Error(ErrorCode::inlined, describe(fitting.front()) + "; mark it MOULT_UPDATABLE and build again");
  require_programs_own(program, name, fitting.front());
  require_kind(program, fitting.front(), wanted);
  require_types(program, fitting.front(), wanted);
  return reinterpret_cast<const void*>(value(fitting.front().range.begin));
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
