#include "diff/variable_beginnings.hpp"

#include <dwarf.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/names.hpp"
#include "diff/made_functions.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal::diff {
namespace {

/// Calls `visit(name, die)` for the variables in the namespaces under `parent`.
template <class Visit>
void visit_variables(const Dwarf_Die& parent, const std::string& scope, const Visit& visit) {
  for_each_child(parent, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_namespace) visit_variables(child, scope_inside(child, scope), visit);
    const std::string_view name = tag == DW_TAG_variable ? plain_name_of(child) : std::string_view();
    if (!name.empty() && dwarf_hasattr(&child, DW_AT_specification) == 0) visit(scope + std::string(name), child);
  });
}

/// The entry that defines it; g++ has it outside of the namespace.
std::optional<Dwarf_Die> definition_of(const std::string& variable, const Dwarf_Die& unit) {
  std::optional<Dwarf_Die> found;
  visit_variables(unit, {}, [&](const std::string& name, Dwarf_Die& die) {
    if (!found && name == variable) found = die;
  });
  const void* const declaration = found ? found->addr : nullptr;
  for_each_child(unit, [&](Dwarf_Die& child) {
    if (declaration == nullptr || dwarf_tag(&child) != DW_TAG_variable) return;
    const std::optional<Dwarf_Die> declared = referred_by(child, DW_AT_specification);
    if (declared && declared->addr == declaration) found = child;
  });
  return found;
}

bool is_reference(const Dwarf_Die& variable) {
  const std::optional<Dwarf_Die> type = type_of(variable);
  Dwarf_Die die = type.value_or(Dwarf_Die{});
  return !type || dwarf_tag(&die) == DW_TAG_reference_type || dwarf_tag(&die) == DW_TAG_rvalue_reference_type;
}

struct Definition {
  std::string variable;
  Dwarf_Die die;
  VariableText text;
};

bool is_of_class(const Dwarf_Die& variable) {
  std::optional<Dwarf_Die> type = bare_type_of(variable);
  while (type && dwarf_tag(&*type) == DW_TAG_array_type) type = bare_type_of(*type);
  return type && is_class_tag(dwarf_tag(&*type));
}

/// A constructor, or a call. To read another variable has no effect, so what nothing reads need not do it.
bool may_run_code(const Dwarf_Die& variable, const VariableText& text, bool has_symbol) {
  return has_symbol || is_of_class(variable) || text.initialiser.find('(') != std::string::npos;
}

/// What initialises the member `value` of a struct as the variable is initialised.
std::string member_initialiser(const VariableText& text, const std::string& type, bool is_array) {
  const std::string& own = text.initialiser;
  if (own.starts_with('=')) return own.substr(1);
  if (is_array) return own;
  return type + (own.empty() ? "()" : own);
}

std::string code_of(const Definition& definition, std::size_t number) {
  const std::string name(last_name_of(definition.variable));
  const std::optional<Dwarf_Die> bare = bare_type_of(definition.die);
  Dwarf_Die type = bare.value_or(Dwarf_Die{});
  const bool is_array = bare && dwarf_tag(&type) == DW_TAG_array_type;
  const std::string of = std::to_string(number);
  const std::string detail = "::moult::detail::";
  const std::string memory = "const_cast<void*>(static_cast<const volatile void*>(__builtin_addressof(" + name + ")))";
  const bool is_constant = definition.text.has_literals_alone && !is_of_class(definition.die);
  const std::string entry = " [[gnu::used, gnu::section(\"moult_beginnings\"), gnu::aligned(8)]] static const " +
                            detail + "NewVariable moult_entry_" + of + "{" + of + ", \"" + definition.variable +
                            "\", " + memory;
  if (is_constant) return entry + ", nullptr};";
  std::string code = " struct moult_made_" + of + " { decltype(" + name + ") value; };";
  code += " static void moult_begin_" + of + "() { ::new (" + memory + ") moult_made_" + of + "{" +
          member_initialiser(definition.text, "typename std::remove_cv<decltype(" + name + ")>::type", is_array) +
          "}; }";
  return code + entry + ", &moult_begin_" + of + "};";
}

/// New variables, by their symbols.
NewVariables used_by_start_code(const ObjectFile& object, const FileComparison& comparison) {
  std::set<std::size_t> used;
  for (const ObjectFunction& function : object.functions()) {
    if (!is_start_code(object.symbols()[function.symbols.front()].name)) continue;
    for (const Relocation& each : object.relocations_of(function.piece))
      if (const std::optional<std::size_t> variable = object.variable_of(each)) used.insert(*variable);
  }
  NewVariables names;
  for (const ComparedItem& each : comparison.items) {
    const bool is_new = each.kind == ItemKind::variable && each.outcome == DiffOutcome::added;
    if (!is_new || !each.symbol_index || !used.contains(*each.symbol_index)) continue;
    const ObjectSymbol& symbol = object.symbols()[*each.symbol_index];
    if (symbol.kind == SymbolKind::data && symbol.binding != Binding::weak)
      names.emplace(without_abi_tags(each.name), true);
  }
  return names;
}

}  // namespace

NewVariables begun_by_code(const ObjectFile& object, const FileComparison& comparison, const Dwarf_Die& unit) {
  const bool has_other_start = std::ranges::any_of(comparison.items, [](const ComparedItem& each) {
    const bool is_other = each.outcome == DiffOutcome::changed || each.outcome == DiffOutcome::added;
    return each.kind == ItemKind::function && is_other && is_start_code(each.symbol);
  });
  if (!has_other_start || comparison.source == nullptr) return {};
  NewVariables names = used_by_start_code(object, comparison);
  std::set<std::string> defined;
  for (const ObjectSymbol& each : object.symbols())
    if (each.section != 0) defined.insert(without_abi_tags(demangle(std::string(each.name))));
  std::set<std::string> old;
  visit_variables(comparison.source->content, {}, [&](const std::string& name, Dwarf_Die&) { old.insert(name); });
  visit_variables(unit, {}, [&](const std::string& name, Dwarf_Die& die) {
    const bool may_have_no_symbol =
        dwarf_hasattr(&die, DW_AT_external) == 0 && dwarf_hasattr(&die, DW_AT_const_value) == 0;
    if (may_have_no_symbol && !old.contains(name) && !defined.contains(name)) names.emplace(name, false);
  });
  return names;
}

std::vector<VariableBeginning> beginnings_of(const NewVariables& variables, const Dwarf_Die& unit,
                                             const PreprocessedSource& source, std::size_t first) {
  std::vector<Definition> definitions;
  for (const auto& [each, has_symbol] : variables) {
    const std::optional<Dwarf_Die> die = definition_of(each, unit);
    if (!die || is_reference(*die)) continue;
    std::optional<VariableText> text = source.variable(last_name_of(each), declared_at(*die));
    if (text && !text->is_constexpr && may_run_code(*die, *text, has_symbol))
      definitions.push_back({each, *die, std::move(*text)});
  }
  std::ranges::sort(definitions, {}, [](const Definition& each) { return each.text.begin; });
  std::vector<VariableBeginning> beginnings;
  for (const Definition& each : definitions) {
    beginnings.push_back({each.variable, each.text.end, code_of(each, first)});
    ++first;
  }
  return beginnings;
}

}  // namespace moult::internal::diff
