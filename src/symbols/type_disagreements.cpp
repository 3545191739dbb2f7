// Problem: a new version of a function works on objects that old code has made, and leaves some to it. When the two
// were compiled with different definitions of a class, they read each other's objects wrongly.
//
// Approach: the classes that the new function's source file defines are compared with those of the same name in the old
// function's file. If that only declares one, its module is searched. dwz moves what files have in common to partial
// units, which each file's unit imports.
//
// Limits: classes in functions and in unnamed namespaces belong to their file, and are not compared. Neither are those
// of headers below /usr, which both sides take from the system, and a class that the old file does not know.
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
#include "symbols/type_index.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal {
namespace {

/// A source file as the debug information has it.
struct SourceUnit {
  std::size_t module = 0;
  const DebugInfo* info = nullptr;
  const DebugUnit* unit = nullptr;
  // clang-tidy takes the 0 that a comparison is rewritten with for a null pointer.
  auto operator<=>(const SourceUnit&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// The unit that declares the function. With LTO its code is in another one. With dwz its declaration may be in a
/// partial unit: then that of the code.
std::optional<SourceUnit> unit_of(const Program& program, CodeAddress function) {
  const std::optional<std::size_t> module = program.module_at(function);
  const ModuleSymbols* const symbols = module ? program.symbols_of(*module) : nullptr;
  const DebugInfo* const info = symbols != nullptr ? symbols->debug_info() : nullptr;
  const std::optional<Dwarf_Die> code =
      info != nullptr ? info->function_at(value(function) - program.modules()[*module].bias) : std::nullopt;
  if (!code || info->lacks_supplementary_file()) return std::nullopt;
  Dwarf_Die declaration = parts_of(*code).back();
  Dwarf_Die around{};
  if (dwarf_diecu(&declaration, &around, nullptr, nullptr) == nullptr) return std::nullopt;
  if (dwarf_tag(&around) == DW_TAG_partial_unit) {
    declaration = *code;
    dwarf_diecu(&declaration, &around, nullptr, nullptr);
  }
  for (const DebugUnit& unit : info->units())
    if (unit.content.addr == around.addr) return SourceUnit{*module, info, &unit};
  return std::nullopt;
}

bool is_of_the_system(const Dwarf_Die& type, std::string_view scope) {
  const std::string file = file_named_by(type, DW_AT_decl_file);  // not known of units in .dwo files
  return file.empty() ? scope.starts_with("std::") || scope.starts_with("__gnu_cxx::") : file.starts_with("/usr/");
}

/// The classes that any file may know by the name. Defined twice in one unit, the name says nothing.
struct Classes {
  std::map<std::string, Dwarf_Die> defined;
  std::set<std::string> declared;
  std::set<std::string> ambiguous;

  void add(const std::string& name, const Dwarf_Die& type) {
    if (!is_definition(type)) {
      declared.insert(name);
    } else if (const auto [known, is_new] = defined.emplace(name, type); !is_new && known->second.addr != type.addr) {
      ambiguous.insert(name);
    }
  }
};

void add_classes(const Dwarf_Die& unit, Classes& classes, int depth = 0) {
  constexpr int deepest = 20;  // imports
  visit_classes(unit, {}, [&](const Dwarf_Die& die, const std::string& scope) {
    Dwarf_Die type = full_class(die);
    if (plain_name_of(type).empty() || is_of_the_system(type, scope)) return;
    const bool is_elsewhere = dwarf_hasattr(&type, DW_AT_specification) != 0 || type.addr != die.addr;
    const std::string name = is_elsewhere ? class_name_of(type).value_or("") : scope + std::string(plain_name_of(type));
    if (!name.empty() && !is_of_unit(name)) classes.add(name, type);
  });
  for_each_child(unit, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_imported_unit || depth > deepest) return;
    if (const std::optional<Dwarf_Die> imported = referred_by(child, DW_AT_import))
      add_classes(*imported, classes, depth + 1);
  });
}

Classes classes_in(const DebugUnit& unit) {
  Classes classes;
  add_classes(unit.content, classes);
  for (const std::string& name : classes.ambiguous) classes.defined.erase(name);
  return classes;
}

/// The first definition in the module of a class that is no instance of a template.
std::optional<ClassLayout> first_layout(const DebugInfo& info, const std::string& name) {
  std::optional<ClassLayout> layout;
  const ClassName wanted(name);
  if (wanted.has_template_arguments()) return layout;
  for (const DebugUnit* const unit : units_of(info, wanted)) {
    visit_classes(unit->content, {}, [&](const Dwarf_Die& die, const std::string& scope) {
      if (layout || !is_class(die, scope, wanted)) return;
      const Dwarf_Die type = full_class(die);
      if (is_definition(type)) layout = class_layout(type, wanted);
    });
    if (layout) break;
  }
  return layout;
}

/// The definition in the old function's file, or, where that only declares the class, in its module.
std::optional<ClassLayout> old_layout(const SourceUnit& old, const Classes& classes, const std::string& name) {
  if (const auto found = classes.defined.find(name); found != classes.defined.end())
    return class_layout(found->second, ClassName(name));
  return classes.declared.contains(name) ? first_layout(*old.info, name) : std::nullopt;
}

/// A field with another name is read in the same place.
LayoutComparison differences_of(const ClassLayout& old, const ClassLayout& replacement) {
  LayoutComparison comparison = compare_layouts(old, replacement);
  std::erase_if(comparison.differences,
                [](const LayoutDifference& each) { return each.kind == DifferenceKind::field_renamed; });
  return comparison;
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
      std::optional<ClassLayout> known = old_layout(*old, before, name);
      if (!known) continue;
      ClassLayout layout = class_layout(type, ClassName(name));
      if (is_same_layout(*known, layout) && !layout.has_vptr) continue;
      LayoutComparison comparison = differences_of(*known, layout);
      if (comparison.differences.empty() || !found.insert(name).second) continue;
      disagreements.push_back({std::move(*known), std::move(layout), std::move(comparison)});
    }
  }
  return disagreements;
}

}  // namespace moult::internal
