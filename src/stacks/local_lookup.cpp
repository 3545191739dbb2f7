#include "stacks/local_lookup.hpp"

#include <algorithm>

#include "base/names.hpp"
#include "moult/error.hpp"

namespace moult::internal {

const FrameVariable* NamedLocals::at(CodeAddress address) const {
  const FrameVariable* found = nullptr;
  for (const FrameVariable& variable : variables) {
    const bool is_in_scope = std::any_of(variable.scope.begin(), variable.scope.end(),
                                         [address](const CodeRange& range) { return range.contains(address); });
    if (is_in_scope && (found == nullptr || variable.depth > found->depth)) found = &variable;
  }
  return found;
}

namespace {

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

NamedLocals find_locals(const Program& program, CodeAddress address, const std::string& function,
                        std::string_view name) {
  NamedLocals locals;
  locals.name = name;
  locals.function = function;
  locals.variables = variables_named(program, address, name, locals.described);
  if (!locals.variables.empty()) return locals;
  if (locals.described.functions.empty())
    throw Error(ErrorCode::unsupported, locals.text() +
                                            ": there is no debug information of that function; compile its "
                                            "source file with -g");
  const std::vector<std::string> names = variable_names(program, address);
  throw Error(ErrorCode::not_found,
              locals.text() + ": it has no variable or parameter of that name" +
                  (names.empty() ? "; the debug information has none at all" : "; there are " + list(names)));
}

void require_type(const NamedLocals& locals, const FrameVariable& variable, const std::type_info& type,
                  std::size_t size) {
  const std::string wanted = name_of_type(type);
  if (variable.type.name.empty())
    throw Error(ErrorCode::signature_mismatch,
                locals.text() + ": its type has no name outside of its function, so that it cannot be compared with " +
                    wanted + "; give it a type declared outside of functions");
  if (variable.type.name != wanted)
    throw Error(ErrorCode::signature_mismatch, locals.text() + " is of type " + variable.type.name + ", not " + wanted +
                                                   "; ask for it by its own type");
  if (variable.type.size != size)
    throw Error(ErrorCode::signature_mismatch,
                locals.text() + " is of type " + wanted + ", which has " + std::to_string(variable.type.size) +
                    " bytes in the program and " + std::to_string(size) +
                    " in the update; build the update with the program's headers and flags");
}

std::string place_text(const Program& program, CodeAddress address) {
  const std::optional<SourceLine> line = program.line_of(address);
  return line ? line->file + ":" + std::to_string(line->line) : hex_text(value(address));
}

std::string missing_text(const FoundVariable& found, const std::string& place) {
  if (found.is_early) return "not there at " + place + ", where its function is just being entered or left; try again";
  return "optimized out at " + place +
         "; declare it volatile, or compile that source file with less optimisation (-O0, -Og)";
}

}  // namespace moult::internal
