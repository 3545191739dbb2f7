// Classes and variables are read in namespaces, inside of classes, and inside of functions. A variable's entry with its
// address is separate from its declaration in a namespace or class, which has the name and the type. We read only the
// attributes that show whether an entry is of use: most of the debug information is about code.
//
// Limits: classes inside of functions are known by their entry alone. If one copy of the function declares such a class
// and another defines it, the two are not joined. Units whose .dwo file is missing are not read.
#include "symbols/type_index.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/names.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/name_query.hpp"
#include "symbols/named_functions.hpp"
#include "symbols/unit_filter.hpp"

namespace moult::internal {
namespace {

constexpr int deepest_type = 300;  // only damaged files nest deeper
constexpr std::array<std::string_view, 4> node_templates{list_node, forward_list_node, tree_node, hash_node};

struct StaticPlace {
  std::uint64_t address = 0;
  bool is_thread_local = false;
};

/// The place of a variable that has one place for its whole life. Tests the first operation only, since most variables
/// of functions lie elsewhere.
std::optional<StaticPlace> static_place(Dwarf_Die variable) {
  Dwarf_Attribute attribute{};
  Dwarf_Block block{};
  if (dwarf_formblock(dwarf_attr(&variable, DW_AT_location, &attribute), &block) != 0 || block.length == 0)
    return std::nullopt;
  const unsigned first = block.data[0];
  const bool is_number =
      first == DW_OP_const4u || first == DW_OP_const8u || first == DW_OP_constx || first == DW_OP_GNU_const_index;
  if (!is_number && first != DW_OP_addr && first != DW_OP_addrx && first != DW_OP_GNU_addr_index) return std::nullopt;
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_getlocation(&attribute, &operations, &count) != 0 || count == 0) return std::nullopt;
  if (is_number) {
    const bool is_tls = count == 2 && (operations[1].atom == DW_OP_GNU_push_tls_address ||
                                       operations[1].atom == DW_OP_form_tls_address);
    return is_tls ? std::optional(StaticPlace{0, true}) : std::nullopt;
  }
  if (count != 1) return std::nullopt;  // a value, or one piece of several
  if (first == DW_OP_addr) return StaticPlace{operations->number, false};
  Dwarf_Attribute indirect{};
  Dwarf_Addr address = 0;
  if (dwarf_getlocation_attr(&attribute, operations, &indirect) != 0 || dwarf_formaddr(&indirect, &address) != 0)
    return std::nullopt;
  return StaticPlace{address, false};
}

/// "app::next()" for the reader, without the parameters.
std::string name_of_static_scope(const Dwarf_Die& function) {
  const std::vector<Dwarf_Die> parts = parts_of(function);
  const std::string_view linkage = linkage_name_of(parts);
  const std::string demangled = demangle(std::string(linkage));
  if (!linkage.empty()) return std::string(qualified_name(demangled)) + "()";
  if (const std::string scoped = scoped_name_of(parts); !scoped.empty()) return scoped + "()";
  for (const Dwarf_Die& part : parts)
    if (!plain_name_of(part).empty()) return std::string(plain_name_of(part)) + "()";
  return {};
}

}  // namespace

bool is_of_unit(std::string_view name) {
  for (const std::string_view mark : {")::", "{anonymous}", "(anonymous", "<lambda", "(lambda", "unnamed"})
    if (name.find(mark) != std::string_view::npos) return true;
  return false;
}

std::string plain_library_name(std::string_view name) {
  std::string plain(name);
  const std::size_t end = plain.find('<');
  for (const std::string_view version : {"__cxx11::", "__cxx1998::"}) {
    const std::size_t at = plain.find(version);
    if (plain.starts_with("std::") && at < end) plain.erase(at, version.size());
  }
  return plain;
}

TypeIndex::TypeIndex(const DebugInfo& info) {
  for (const DebugUnit& unit : info.units()) read(unit);
  finish();
}

TypeIndex::TypeIndex(const DebugInfo& info, const std::string& identifier) {
  for (const DebugUnit* const unit : UnitFilter(info, std::vector{identifier}).naming_or_referring()) read(*unit);
  finish();
}

void TypeIndex::read(const DebugUnit& unit) {
  of_unit_.clear();
  if (!unit.is_missing) visit_children(unit.content, {});
}

void TypeIndex::finish() {
  join_bases();
  name_by_declarations();
  // Each unit that includes a header describes its variables; dropped ones have no address.
  std::stable_sort(variables_.begin(), variables_.end(),
                   [](const StaticVariable& a, const StaticVariable& b) { return a.address < b.address; });
  const auto same = [](const StaticVariable& a, const StaticVariable& b) {
    return a.address == b.address && (a.address != 0 || a.name == b.name);
  };
  variables_.erase(std::unique(variables_.begin(), variables_.end(), same), variables_.end());
}

std::optional<std::size_t> TypeIndex::class_of(const Dwarf_Die& type) const {
  const auto known = by_entry_.find(full_class(type).addr);
  return known != by_entry_.end() ? std::optional(known->second) : std::nullopt;
}

std::optional<std::size_t> TypeIndex::find(const std::string& name) const {
  const auto known = by_name_.find(name);
  return known != by_name_.end() ? std::optional(known->second) : std::nullopt;
}

const std::vector<std::size_t>& TypeIndex::nodes(std::string_view node_template) const {
  static const auto& none = *new std::vector<std::size_t>;
  const auto known = nodes_.find(node_template);
  return known != nodes_.end() ? known->second : none;
}

void TypeIndex::visit_children(Dwarf_Die parent, const Around& around) {
  if (around.depth > deepest_type) return;
  for_each_child(parent, [&](Dwarf_Die& child) {
    switch (dwarf_tag(&child)) {
      case DW_TAG_namespace:
        return visit_children(child, {scope_inside(child, around.scope), around.function, around.depth + 1});
      case DW_TAG_class_type:
      case DW_TAG_structure_type:
      case DW_TAG_union_type: return visit_class(child, around);
      case DW_TAG_subprogram: return visit_children(child, {{}, &child, around.depth + 1});
      case DW_TAG_lexical_block:
      case DW_TAG_inlined_subroutine:
      case DW_TAG_try_block:
      case DW_TAG_catch_block: return visit_children(child, {around.scope, around.function, around.depth + 1});
      case DW_TAG_variable:
      case DW_TAG_member: return visit_variable(child, around);
      default: return;
    }
  });
}

void TypeIndex::visit_class(Dwarf_Die& die, const Around& around) {
  const std::optional<Dwarf_Die> declaration = referred_by(die, DW_AT_specification);
  const auto known = declaration ? declared_.find(declaration->addr) : declared_.end();
  const std::string own(plain_name_of(full_class(die)));
  const std::string name = known != declared_.end() ? known->second : own.empty() ? own : around.scope + own;
  if (dwarf_hasattr(&die, DW_AT_declaration) != 0) declared_[die.addr] = name;
  const std::size_t number = number_for(die, name, around.function != nullptr);
  if (is_definition(die)) note_definition(number, die);
  for_each_child(die, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_inheritance)
      if (const std::optional<Dwarf_Die> base = referred_by(child, DW_AT_type))
        inheritances_.push_back({number, *base});
  });
  visit_children(die, {name.empty() ? around.scope : name + "::", around.function, around.depth + 1});
}

std::size_t TypeIndex::number_for(const Dwarf_Die& die, const std::string& name, bool is_in_function) {
  const auto [known, is_new] = by_entry_.try_emplace(full_class(die).addr, classes_.size());
  if (!is_new) return known->second;
  if (!name.empty() && !is_in_function) {
    const auto [named, is_first] = (is_of_unit(name) ? of_unit_ : by_name_).try_emplace(name, classes_.size());
    known->second = named->second;
    if (!is_first) return named->second;
  }
  const std::string plain = plain_library_name(name);
  for (const std::string_view node : node_templates)
    if (plain.starts_with(node)) nodes_[node].push_back(classes_.size());
  classes_.push_back({name, std::nullopt, false, {}});
  return known->second;
}

void TypeIndex::note_definition(std::size_t number, const Dwarf_Die& die) {
  IndexedClass& known = classes_[number];
  if (!known.definition) {
    known.definition = die;
    return;
  }
  const bool is_alike = size_of_type(*known.definition) == size_of_type(die) &&
                        number_of(*known.definition, DW_AT_decl_line) == number_of(die, DW_AT_decl_line);
  known.is_ambiguous = known.is_ambiguous || !is_alike;
}

void TypeIndex::visit_variable(Dwarf_Die& die, const Around& around) {
  if (dwarf_hasattr(&die, DW_AT_location) == 0) {
    if (dwarf_hasattr(&die, DW_AT_declaration) != 0)
      declared_[die.addr] = around.scope + std::string(plain_name_of(die));
    return;
  }
  const std::optional<StaticPlace> place = static_place(die);
  if (!place || (place->address == 0 && !place->is_thread_local)) return;
  StaticVariable variable{name_of_variable(die, around), {}, place->address, place->is_thread_local, die};
  if (has_flag(die, DW_AT_external)) {
    const std::string_view linkage = linkage_name_of(parts_of(die));
    variable.linkage_name = linkage.empty() ? plain_name_of(die) : linkage;
  }
  variables_.push_back(std::move(variable));
}

std::string TypeIndex::name_of_variable(Dwarf_Die& die, const Around& around) {
  std::string name;
  for (const Dwarf_Die& part : parts_of(die))
    if (name.empty()) name = plain_name_of(part);
  return (around.function != nullptr ? name_of_static_scope(*around.function) + "::" : around.scope) + name;
}

/// A separate definition has its scope at the declaration, which may come later.
void TypeIndex::name_by_declarations() {
  for (StaticVariable& variable : variables_)
    for (const Dwarf_Die& part : parts_of(variable.die)) {
      const auto known = declared_.find(part.addr);
      if (known != declared_.end()) variable.name = known->second;
    }
  declared_.clear();
}

void TypeIndex::join_bases() {
  for (const Inheritance& one : inheritances_) {
    Dwarf_Die base = one.base;
    while (dwarf_tag(&base) == DW_TAG_typedef) {
      const std::optional<Dwarf_Die> named = referred_by(base, DW_AT_type);
      if (!named) break;
      base = *named;
    }
    const std::optional<std::size_t> number = class_of(base);
    if (!number) continue;
    std::vector<std::size_t>& derived = classes_[*number].derived;
    if (std::find(derived.begin(), derived.end(), one.derived) == derived.end()) derived.push_back(one.derived);
  }
  inheritances_.clear();
}

}  // namespace moult::internal
