// Why: an update is compiled with the program's headers, so it has the old class as well, and functions of it. Only the
// module tells which layout and which code belong to which side. An earlier update may have the old class as its own:
// the second version, which becomes a third. Calls reach its functions; no call reaches those of an unreachable update.
#include "classes/class_pair.hpp"

#include "symbols/layout_comparison.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "code/patch.hpp"
#include "moult/error.hpp"
#include "moult/load.hpp"
#include "symbols/class_names.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

/// The one layout that those of `all` for which `is_wanted` have; nothing when there is none.
template <class IsWanted>
std::optional<ClassLayout> agreed_layout(const std::vector<ClassLayout>& all, IsWanted&& is_wanted) {
  const ClassLayout* first = nullptr;
  for (const ClassLayout& layout : all) {
    if (!is_wanted(layout.module)) continue;
    if (first == nullptr) first = &layout;
    if (is_same_layout(*first, layout)) continue;
    throw Error(ErrorCode::ambiguous, layout.name.text() + ": is laid out one way at " + first->place.file + ":" +
                                          std::to_string(first->place.line) + " (" + first->module +
                                          ") and another way at " + layout.place.file + ":" +
                                          std::to_string(layout.place.line) + " (" + layout.module + "):\n" +
                                          describe(compare_layouts(*first, layout)));
  }
  return first != nullptr ? std::optional(*first) : std::nullopt;
}

/// Calls reach the first of one name, as the loader searches modules, but for those in an update, which is bound to its
/// own.
template <class IsWanted>
std::vector<MemberCode> code_of(const Program& program, const LoadedUpdates& updates, const ClassName& name,
                                IsWanted&& is_wanted) {
  std::vector<MemberCode> code;
  std::set<std::string> names;
  for (MemberCode& one : member_code(program, name)) {
    if (!is_wanted(one.symbol.module) || one.symbol.range.size() == 0) continue;
    const std::optional<std::size_t> module = program.module_at(one.symbol.range.begin);
    const bool is_bound_to = one.symbol.is_local || (module && updates.is_update(*module));
    if (is_bound_to || names.insert(one.symbol.mangled).second) code.push_back(std::move(one));
  }
  return code;
}

std::string constructor_of(const ClassName& name) { return name.text() + "::" + std::string(name.identifier()) + "()"; }
std::string destructor_of(const ClassName& name) { return name.text() + "::~" + std::string(name.identifier()) + "()"; }

/// Where a constructor or destructor of an earlier update has no code, calls come to what stands in for it.
void add_stand_ins(const Program& program, const ClassName& name, std::vector<MemberCode>& code) {
  constexpr const char* helpers = "moult::detail::" MOULT_STRING(MOULT_ABI_NAMESPACE) "::";
  const std::string constructs = name.as_argument_of(std::string(helpers) + "construct_object");
  const std::string destroys = name.as_argument_of(std::string(helpers) + "destroy_object");
  std::set<CodeAddress> added;
  for (const AppliedChange& change : applied_changes()) {
    std::optional<FunctionSymbol> function = program.at(change.replacement);
    const std::string_view called = function ? qualified_name(function->demangled) : std::string_view();
    if ((called != constructs && called != destroys) || !added.insert(change.replacement).second) continue;
    function->demangled = called == constructs ? constructor_of(name) : destructor_of(name);
    code.push_back({std::move(*function), '1'});
  }
}

[[noreturn]] void throw_unknown(const Program& program, const ClassName& name) {
  std::string text =
      name.text() + ": no debug information defines this class; compile what defines it with -g, outside of functions";
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* const symbols = program.symbols_of(i);
    const DebugInfo* const info = symbols != nullptr ? symbols->debug_info() : nullptr;
    const std::string problem = info != nullptr ? info->missing_file_problem(program.modules()[i].path) : "";
    if (!problem.empty()) text += "\n" + problem;
  }
  throw Error(ErrorCode::not_found, text);
}

/// Stands in for a member function of the new class that has no code in the update.
void supply(ClassMembers& replacement, const void* address, const std::string& name, char variant) {
  const bool has_it = std::any_of(replacement.code.begin(), replacement.code.end(), [&](const MemberCode& code) {
    return code.symbol.demangled == name && code.variant == variant;
  });
  if (address == nullptr || has_it) return;
  MemberCode code;
  code.symbol.demangled = name;
  code.symbol.range.begin = CodeAddress{reinterpret_cast<std::uintptr_t>(address)};
  code.symbol.range.end = code.symbol.range.begin + 1;
  code.variant = variant;
  replacement.code.push_back(std::move(code));
}

}  // namespace

ClassPair find_class_pair(const Program& program, const LoadedUpdates& updates, const ClassRequest& request) {
  const std::vector<ClassLayout> olds = class_layouts(program, request.old_class);
  const std::vector<ClassLayout> replacements = class_layouts(program, request.replacement_class);
  if (olds.empty()) throw_unknown(program, request.old_class);
  if (replacements.empty()) throw_unknown(program, request.replacement_class);
  const std::optional<std::size_t> place =
      program.module_at(CodeAddress{reinterpret_cast<std::uintptr_t>(request.replacement_place)});
  std::string replacement_module = place ? program.modules()[*place].path : replacements.front().module;
  const auto is_there = [&](const ClassLayout& layout) { return layout.module == replacement_module; };
  if (std::none_of(replacements.begin(), replacements.end(), is_there))
    replacement_module = replacements.front().module;

  ClassPair classes;
  const auto in_replacement = [&](const std::string& module) { return module == replacement_module; };
  std::set<std::string> passed_over{replacement_module};
  for (std::size_t i = 0; i < program.modules().size(); ++i)
    if (updates.is_unreachable(i)) passed_over.insert(program.modules()[i].path);
  const auto elsewhere = [&](const std::string& module) { return !passed_over.contains(module); };
  classes.replacement.layout = agreed_layout(replacements, in_replacement).value();
  classes.replacement.code = code_of(program, updates, request.replacement_class, in_replacement);
  supply(classes.replacement, request.destroy, destructor_of(request.replacement_class), '1');
  supply(classes.replacement, request.construct, constructor_of(request.replacement_class), '1');
  if (std::optional<ClassLayout> old = agreed_layout(olds, elsewhere)) {
    classes.old = {std::move(*old), code_of(program, updates, request.old_class, elsewhere)};
    add_stand_ins(program, request.old_class, classes.old.code);
    for (std::size_t i = 0; i < program.modules().size(); ++i)
      if (program.modules()[i].path == replacement_module) classes.replacement_module = i;
  } else {
    classes.old = {agreed_layout(olds, in_replacement).value(),
                   code_of(program, updates, request.old_class, in_replacement)};
  }
  return classes;
}

}  // namespace moult::internal
