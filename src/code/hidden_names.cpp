// Problem: an update declares a function or a variable that the program's file keeps for itself (static, or hidden).
// The dynamic linker knows only what is exported.
//
// Approach: the program's symbol table has it: a hidden one under the same linkage name, a static one under another
// that reads the same (_ZL4nexti for _Z4nexti).
//
// Limits: a stripped program has no such symbols. Nothing compares the declared type of a variable with its own.
#include "code/hidden_names.hpp"

#include <algorithm>
#include <vector>

#include "base/names.hpp"
#include "moult/error.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"
#include "symbols/program.hpp"
#include "symbols/static_variables.hpp"

namespace moult::internal {
namespace {

struct HiddenName {
  std::uintptr_t address = 0;
  std::string source;  ///< "" when unknown
};

void add_candidate(std::vector<HiddenName>& found, HiddenName candidate) {
  const bool is_known =
      std::ranges::any_of(found, [&](const HiddenName& each) { return each.address == candidate.address; });
  if (!is_known) found.push_back(std::move(candidate));
}

std::vector<HiddenName> hidden_functions(const Program& program, const std::string& mangled) {
  std::vector<HiddenName> found;
  const bool is_mangled = mangled.starts_with("_Z");
  for (const std::string& name : {mangled, demangle(mangled)}) {
    for (const FunctionSymbol& function : program.find(name)) {
      const bool is_programs = function.module == program.modules().front().path && function.range.size() > 0;
      if (is_programs && (is_mangled || function.mangled == mangled))
        add_candidate(found, {value(function.range.begin), function.source});
    }
    if (!found.empty()) break;
  }
  return found;
}

using Variables = std::vector<std::pair<std::string_view, DataPlace>>;

/// `variables` are those of the program's own file.
std::vector<HiddenName> hidden_variables(const Program& program, const Variables& variables,
                                         const std::string& mangled) {
  std::vector<HiddenName> found;
  const std::string wanted = demangle(mangled);
  const std::string identifier(last_name_of(wanted));
  for (const auto& [name, place] : variables) {
    if (name.find(identifier) == std::string_view::npos) continue;
    const std::string readable = demangle(std::string(split_symbol_name(name).base));
    if (without_unnamed_namespaces(readable) == wanted)
      add_candidate(found, {program.modules().front().bias + place.address, {}});
  }
  if (found.size() < 2) return found;
  for (const NamedVariable& variable : variables_named(program, identifier))
    for (HiddenName& candidate : found)
      if (candidate.address == variable.address) candidate.source = variable.source;
  return found;
}

std::string files_of(const std::vector<HiddenName>& candidates) {
  std::string sources;
  for (const HiddenName& each : candidates)
    sources += (sources.empty() ? "" : ", ") + (each.source.empty() ? "an unknown file" : each.source);
  return sources;
}

}  // namespace

std::optional<CodeAddress> HiddenFunctions::find(std::string_view mangled) {
  if (!program_) {
    program_.emplace(Program::of_this_process());
    const std::uintptr_t bias = program_->modules().front().bias;
    if (const ModuleSymbols* const own = program_->symbols_of(0))
      for (const Symbol& symbol : own->functions().all())
        if (symbol.is_local && symbol.has_size && !symbol.is_resolver && symbol.name.starts_with("_Z"))
          entries_.emplace(symbol.name, CodeAddress{bias + symbol.begin});
  }
  const auto found = entries_.find(mangled);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uintptr_t> HiddenNames::find(const std::string& mangled) {
  if (!program_) {
    program_.emplace(Program::of_this_process());
    if (const ModuleSymbols* const own = program_->symbols_of(0)) variables_ = own->functions().data_beginning_with("");
  }
  std::vector<HiddenName> found = hidden_functions(*program_, mangled);
  const bool is_function = !found.empty();
  if (!is_function) found = hidden_variables(*program_, variables_, mangled);
  if (found.empty()) return std::nullopt;
  if (found.size() == 1) return found.front().address;
  const std::string name(qualified_name(demangle(mangled)));
  throw Error(ErrorCode::ambiguous,
              demangle(mangled) + ", which the update links with, fits " + std::to_string(found.size()) +
                  " of the program's, in " + files_of(found) + "; look up the one that is meant with " +
                  (is_function ? "moult::function" : "moult::variable") + "<...>(\"FILE:" + name + "\")");
}

}  // namespace moult::internal
