// Looks up variables by their demangled name.
#include "moult/variable.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "functions/known_variables.hpp"
#include "moult/error.hpp"
#include "symbols/name_query.hpp"
#include "symbols/program.hpp"
#include "symbols/static_variables.hpp"
#include "threads/current_stop.hpp"

namespace moult {
namespace {

using internal::NamedVariable;

std::string describe(const internal::Program& program, const NamedVariable& variable) {
  return (variable.type.empty() ? "" : variable.type + " ") + variable.name + " in " +
         (variable.source.empty() ? program.modules()[variable.module].path : variable.source);
}

std::string list(const internal::Program& program, const std::vector<NamedVariable>& variables) {
  constexpr std::size_t most_listed = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(variables.size(), most_listed); ++i)
    text += (i == 0 ? "" : "; ") + describe(program, variables[i]);
  if (variables.size() > most_listed) text += "; and " + std::to_string(variables.size() - most_listed) + " more";
  return text;
}

/// What the query asks for, of the variables with that last name. The program's own come before those of libraries.
std::vector<NamedVariable> fitting(const std::vector<NamedVariable>& named, const internal::NameQuery& query,
                                   const std::string& wanted) {
  std::vector<NamedVariable> found;
  const bool names_unnamed = wanted.find("(anonymous") != std::string::npos;
  std::copy_if(named.begin(), named.end(), std::back_inserter(found), [&](const NamedVariable& variable) {
    const std::string name = names_unnamed ? variable.name : internal::without_unnamed_namespaces(variable.name);
    return name == wanted && query.fits_source(variable.source);
  });
  const bool is_programs =
      std::any_of(found.begin(), found.end(), [](const NamedVariable& variable) { return variable.module == 0; });
  if (is_programs) std::erase_if(found, [](const NamedVariable& variable) { return variable.module != 0; });
  return found;
}

}  // namespace

namespace detail::inline MOULT_ABI_NAMESPACE {

void* find_variable(std::string_view name, const std::type_info& type, std::size_t size) {
  internal::check_name("a variable's name", std::string(name));
  const internal::NameQuery query(name);
  const std::string given(query.source().empty() ? name : name.substr(query.source().size() + 1));
  const std::string wanted = internal::variable_name(given);
  const internal::Program program = internal::Program::of_this_process();
  internal::require_short_reading("moult::variable", "call it in prepare, and keep its result",
                                  [&] { return program.debug_info_size(internal::last_name_of(wanted)); });
  const std::vector<NamedVariable> named =
      internal::variables_named(program, std::string(internal::last_name_of(wanted)));
  const std::vector<NamedVariable> found = fitting(named, query, wanted);
  if (found.empty())
    throw Error(ErrorCode::not_found, std::string(name) + ": no variable of that name has a place" +
                                          (named.empty() ? "; it may have been optimised away, or its module has no "
                                                           "debug information"
                                                         : "; there are " + list(program, named)));
  if (found.size() > 1)
    throw Error(ErrorCode::ambiguous,
                std::string(name) + " fits " + std::to_string(found.size()) + " variables: " + list(program, found) +
                    "; name the namespace, or put the source file in front (file.cpp:" + std::string(name) + ")");
  const NamedVariable& variable = found.front();
  if (variable.address == 0)
    throw Error(ErrorCode::unsupported, variable.name +
                                            ": each thread has its own (thread_local); let a function of the "
                                            "program read it");
  const std::string asked = internal::name_of_type(type);
  const bool is_of_type = variable.type.empty() || variable.type == asked;
  if (!is_of_type || (variable.size != 0 && variable.size != size))
    throw Error(ErrorCode::signature_mismatch, describe(program, variable) + " has " + std::to_string(variable.size) +
                                                   " bytes, and was asked for as " + asked + " of " +
                                                   std::to_string(size) + "; ask for it by its own type");
  internal::note_known_variable({.address = variable.address,
                                 .size = size,
                                 .name = internal::without_unnamed_namespaces(variable.name),
                                 .type = asked});
  return reinterpret_cast<void*>(variable.address);
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
