// Problem: a variable that a file or a function keeps for itself has no name that a library could link with, and yet an
// update may have to go on with its value.
//
// Approach: the debug information has such variables with their scopes, types and addresses. Only the units that name
// the identifier are read. Without debug information the symbol table has names and sizes.
//
// Limits: variables of a function are named with "()" for any parameters: those of overloads are told apart by nothing
// else. A variable that was optimised away has no place.
#include "symbols/static_variables.hpp"

#include <algorithm>

#include "base/names.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"
#include "symbols/type_index.hpp"
#include "symbols/value_type.hpp"
#include "symbols/variable_places.hpp"

namespace moult::internal {
namespace {

constexpr std::string_view unnamed = "(anonymous namespace)";

std::vector<NamedVariable> described(const DebugInfo& info, std::size_t module, const VariablePlaces& places,
                                     const std::string& identifier) {
  std::vector<NamedVariable> found;
  const TypeIndex index(info, identifier);
  for (const StaticVariable& variable : index.variables()) {
    std::string name = variable_name(variable.name);
    if (last_name_of(name) != identifier) continue;
    const ValueType type = value_type_of(variable.die);
    const std::uintptr_t address = variable.is_thread_local ? 0 : places.address_of(module, variable);
    found.push_back({std::move(name), type.name, type.size, declared_at(variable.die).file, module, address});
  }
  return found;
}

std::vector<NamedVariable> by_symbols(const FunctionIndex& symbols, const Module& module,
                                      const std::string& identifier) {
  std::vector<NamedVariable> found;
  for (const auto& [mangled, place] : symbols.data_beginning_with("")) {
    const bool is_made_up = mangled.starts_with("_ZT") || mangled.starts_with("_ZG");
    if (is_made_up || mangled.find(identifier) == std::string_view::npos) continue;
    std::string name = variable_name(demangle(std::string(split_symbol_name(mangled).base)));
    if (last_name_of(name) != identifier) continue;
    found.push_back({std::move(name), {}, place.size, {}, 0, module.bias + place.address});
  }
  return found;
}

}  // namespace

std::string variable_name(std::string_view text) {
  if (text.starts_with("::")) text.remove_prefix(2);
  std::string name;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (depth == 0 && text.substr(at).starts_with(unnamed)) {
      name += unnamed;
      at += unnamed.size() - 1;
      continue;
    }
    if (text[at] == '(' && depth++ == 0) name += "()";
    if (depth == 0) name += text[at];
    if (text[at] == ')' && --depth == 0) at = text.substr(at).starts_with(") const::") ? at + 6 : at;
  }
  return without_abi_tags(std::move(name));
}

std::vector<NamedVariable> variables_named(const Program& program, const std::string& identifier) {
  std::vector<NamedVariable> all;
  const VariablePlaces places(program);
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* const symbols = program.symbols_of(i);
    if (symbols == nullptr || symbols->is_update()) continue;
    const DebugInfo* const info = symbols->may_describe(identifier) ? symbols->debug_info() : nullptr;
    std::vector<NamedVariable> found =
        info != nullptr ? described(*info, i, places, identifier) : std::vector<NamedVariable>();
    if (found.empty() && symbols->may_name(identifier))
      found = by_symbols(symbols->functions(), program.modules()[i], identifier);
    for (NamedVariable& variable : found) {
      variable.module = i;
      const bool is_known = variable.address != 0 &&
                            std::any_of(all.begin(), all.end(),
                                        [&](const NamedVariable& other) { return other.address == variable.address; });
      if (!is_known) all.push_back(std::move(variable));
    }
  }
  return all;
}

std::vector<NamedVariable> static_variables_of(const Program& program, std::size_t module, std::string_view mangled) {
  std::vector<NamedVariable> found;
  const ModuleSymbols* const symbols = program.symbols_of(module);
  if (symbols == nullptr || !mangled.starts_with("_Z")) return found;
  const std::string beginning = "_ZZ" + std::string(mangled.substr(2)) + "E";
  for (const auto& [name, place] : symbols->functions().data_beginning_with(beginning)) {
    const std::string readable = variable_name(demangle(std::string(split_symbol_name(name).base)));
    found.push_back({std::string(last_name_of(readable)),
                     {},
                     place.size,
                     {},
                     module,
                     program.modules()[module].bias + place.address});
  }
  return found;
}

}  // namespace moult::internal
