// Problem: a new version of a function works on objects that old code has made, and leaves some to it. When the two
// were compiled with different definitions of a class, they read each other's objects wrongly.
//
// Approach: the classes that the new function's source file defines are compared with those of the same name in the old
// function's file. If that only declares one, its module is searched.
//
// Limits: classes in functions and in unnamed namespaces belong to their file, and are not compared. Neither are those
// of headers below /usr, which both sides take from the system, and a class of which the old file knows nothing.
#include "symbols/type_disagreements.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "symbols/class_walk.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/module_symbols.hpp"

namespace moult::internal {
namespace {

/// A source file as the debug information has it.
struct SourceUnit {
  std::size_t module = 0;
  const DebugUnit* unit = nullptr;
  auto operator<=>(const SourceUnit&) const = default;
};

std::optional<SourceUnit> unit_of(const Program& program, CodeAddress function) {
  const std::optional<std::size_t> module = program.module_at(function);
  const ModuleSymbols* const symbols = module ? program.symbols_of(*module) : nullptr;
  const DebugInfo* const info = symbols != nullptr ? symbols->debug_info() : nullptr;
  const DebugUnit* const unit =
      info != nullptr ? info->unit_at(value(function) - program.modules()[*module].bias) : nullptr;
  return unit != nullptr ? std::optional(SourceUnit{*module, unit}) : std::nullopt;
}

bool is_of_the_system(Dwarf_Die type) {
  const char* const file = dwarf_decl_file(&type);
  return file != nullptr && std::string_view(file).starts_with("/usr/");
}

struct Classes {
  std::map<std::string, Dwarf_Die> defined;
  std::set<std::string> declared;
};

Classes classes_in(const DebugUnit& unit) {
  Classes classes;
  visit_classes(unit.content, {}, [&](const Dwarf_Die& die, const std::string& scope) {
    const Dwarf_Die type = full_class(die);
    const std::string_view name = plain_name_of(type);
    if (name.empty() || scope.find('(') != std::string::npos || is_of_the_system(type)) return;
    std::string full = scope + std::string(name);
    if (is_definition(type))
      classes.defined.emplace(std::move(full), type);
    else
      classes.declared.insert(std::move(full));
  });
  return classes;
}

/// The definition in the old function's file, or, where that only declares the class, the only one in its module.
std::optional<ClassLayout> old_layout(const Program& program, const SourceUnit& old, const Classes& classes,
                                      const std::string& name) {
  if (const auto found = classes.defined.find(name); found != classes.defined.end())
    return class_layout(found->second, ClassName(name));
  if (!classes.declared.contains(name)) return std::nullopt;
  std::vector<ClassLayout> all = class_layouts(program, ClassName(name));
  std::erase_if(all, [&](const ClassLayout& each) { return each.module != program.modules()[old.module].path; });
  return all.size() == 1 ? std::optional(std::move(all.front())) : std::nullopt;
}

}  // namespace

std::vector<TypeDisagreement> type_disagreements(const Program& program,
                                                 std::span<const std::pair<CodeAddress, CodeAddress>> functions) {
  std::set<std::pair<SourceUnit, SourceUnit>> compared;
  std::set<std::string> found;
  std::vector<TypeDisagreement> disagreements;
  for (const auto& [old_function, replacement_function] : functions) {
    const std::optional<SourceUnit> old = unit_of(program, old_function);
    const std::optional<SourceUnit> replacement = unit_of(program, replacement_function);
    if (!old || !replacement || *old == *replacement || !compared.emplace(*old, *replacement).second) continue;
    const Classes before = classes_in(*old->unit);
    for (const auto& [name, type] : classes_in(*replacement->unit).defined) {
      std::optional<ClassLayout> known = old_layout(program, *old, before, name);
      if (!known) continue;
      ClassLayout layout = class_layout(type, ClassName(name));
      if (is_same_layout(*known, layout) && !layout.has_vptr) continue;
      LayoutComparison comparison = compare_layouts(*known, layout);
      if (comparison.verdict == LayoutVerdict::identical || !found.insert(name).second) continue;
      disagreements.push_back({std::move(*known), std::move(layout), std::move(comparison)});
    }
  }
  return disagreements;
}

}  // namespace moult::internal
