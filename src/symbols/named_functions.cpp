// Problem: the symbol table has the code of functions, but not their origin. It has nothing of a function that was
// inlined everywhere. Two functions that the compiler or the linker has merged look like one function with two names.
//
// Approach: every function of the source has a definition (a DW_TAG_subprogram that is not a declaration), whatever
// became of its code. Definitions, methods' too, are at the top of a unit or in its namespaces, so only these are read.
// A local function has no mangled name there; it is known by the names of the scopes around its declaration.
//
// Limit: a definition inside of a class that is local to a function is not found, but for a lambda's. Of several
// lambdas in a function, all are taken for the one that has no code.
#include "symbols/named_functions.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/names.hpp"
#include "symbols/die_attributes.hpp"

namespace moult::internal {
namespace {

/// Calls `visit(definition)` for the definitions of functions in `scope` and in its namespaces.
template <class Visit>
void visit_definitions(Dwarf_Die scope, const Visit& visit, int depth = 0) {
  constexpr int deepest = 100;  // only damaged files nest deeper
  Dwarf_Die child{};
  if (depth > deepest || dwarf_child(&scope, &child) != 0) return;
  do {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_namespace) visit_definitions(child, visit, depth + 1);
    if (tag == DW_TAG_subprogram && dwarf_hasattr(&child, DW_AT_declaration) == 0) visit(child);
  } while (dwarf_siblingof(&child, &child) == 0);
}

template <class Visit>
void visit_definitions_of(const DebugInfo& info, const Visit& visit) {
  for (const DebugUnit& unit : info.units()) visit_definitions(unit.content, visit);
}

std::string plain_name_among(const std::vector<Dwarf_Die>& parts) {
  Dwarf_Die last = parts.back();
  const char* name = dwarf_diename(&last);
  return name != nullptr ? name : std::string();
}

bool fits(const NameQuery& query, const std::vector<Dwarf_Die>& parts) {
  if (!query.source().empty() && !query.fits_source(file_named_by(parts.back(), DW_AT_decl_file))) return false;
  const std::string mangled(shared_name_of(parts));
  if (!mangled.empty()) return query.may_fit(mangled) && query.fit(mangled, demangle(mangled)) != NameQuery::Fit::none;
  // Finding the scopes is slow, so first test whether the name could be part of a matching mangled one.
  const std::string plain = plain_name_among(parts);
  if (!query.may_fit("_Z" + std::to_string(plain.size()) + plain)) return false;
  const std::string name = scoped_name_of(parts);
  return !name.empty() && query.fit({}, name) != NameQuery::Fit::none;
}

/// Calls `visit(call operator)` for the lambdas in a function's body. A lambda's class has no name, or "<lambda(int)>".
template <class Visit>
void visit_lambdas(const Dwarf_Die& function, const Visit& visit) {
  visit_all(function, nullptr, [&](Dwarf_Die& die, const Dwarf_Die*) {
    const int tag = dwarf_tag(&die);
    if (tag != DW_TAG_class_type && tag != DW_TAG_structure_type) return true;
    const char* const name = dwarf_diename(&die);
    Dwarf_Die child{};
    if ((name != nullptr && !std::string_view(name).starts_with("<lambda")) || dwarf_child(&die, &child) != 0)
      return true;
    do {
      if (dwarf_tag(&child) == DW_TAG_subprogram && plain_name_of(child) == "operator()") visit(child);
    } while (dwarf_siblingof(&child, &child) == 0);
    return true;
  });
}

/// A definition without code, without inlined copies and without instances elsewhere.
bool lacks_code(Dwarf_Die definition) {
  for (const unsigned attribute : {DW_AT_low_pc, DW_AT_ranges, DW_AT_inline, DW_AT_abstract_origin})
    if (dwarf_hasattr(&definition, attribute) != 0) return false;
  return true;
}

}  // namespace

std::string scoped_name_of(const std::vector<Dwarf_Die>& parts) {
  Dwarf_Die declaration = parts.back();
  Dwarf_Die* found = nullptr;
  const int count = dwarf_getscopes_die(&declaration, &found);
  const std::unique_ptr<Dwarf_Die, decltype(&std::free)> scopes(found, &std::free);
  std::string name;
  for (int i = 0; i < count; ++i) {
    Dwarf_Die& scope = scopes.get()[i];
    const int tag = dwarf_tag(&scope);
    if (tag == DW_TAG_compile_unit || tag == DW_TAG_type_unit || tag == DW_TAG_partial_unit) break;
    if (i > 0 && tag == DW_TAG_subprogram) return {};
    const char* text = dwarf_diename(&scope);
    if (text == nullptr && tag != DW_TAG_namespace) return {};
    const std::string part = text != nullptr ? text : "(anonymous namespace)";
    if (!name.empty()) name.insert(0, "::");
    name.insert(0, part);
  }
  return name;
}

std::vector<const Symbol*> defined_functions(const DebugInfo& info, const std::vector<const Symbol*>& symbols) {
  std::vector<std::string> readable;
  for (const Symbol* symbol : symbols) readable.emplace_back(qualified_name(demangle(std::string(symbol->name))));
  std::vector<bool> is_defined(symbols.size(), false);
  visit_definitions_of(info, [&](const Dwarf_Die& die) {
    const std::vector<Dwarf_Die> parts = parts_of(die);
    const std::string_view shared = shared_name_of(parts);
    const std::string plain = plain_name_among(parts);
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const bool may_be_it = symbols[i]->is_local && shared.empty() && last_name_of(readable[i]) == plain;
      if (shared == symbols[i]->name || (may_be_it && scoped_name_of(parts) == readable[i])) is_defined[i] = true;
    }
  });
  std::vector<const Symbol*> defined;
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if (is_defined[i]) defined.push_back(symbols[i]);
  return defined;
}

std::vector<const Symbol*> undescribed_symbols(const DebugInfo& info, const DebugUnit& unit,
                                               const FunctionIndex& functions) {
  std::vector<const Symbol*> found;
  const std::span<const Symbol> all = functions.all();
  for (const CodeRange& range : info.ranges_of(unit)) {
    for (auto symbol = std::ranges::lower_bound(all, value(range.begin), {}, &Symbol::begin);
         symbol != all.end() && symbol->begin < value(range.end); ++symbol)
      if (!info.function_at(symbol->begin)) found.push_back(&*symbol);
  }
  return found;
}

std::vector<const Symbol*> functions_folded_into(const DebugUnit& unit, const std::vector<const Symbol*>& undescribed,
                                                 const Symbol& function) {
  constexpr std::uint64_t longest_jump = 9;  // endbr64, and a jump of five bytes
  std::vector<const Symbol*> folded;
  for (const Symbol* const symbol : undescribed) {
    const std::uint64_t size = symbol->end - symbol->begin;
    if (symbol->begin != function.begin && (size <= longest_jump || size == function.end - function.begin))
      folded.push_back(symbol);
  }
  if (folded.empty()) return folded;
  std::unordered_set<std::string_view> names;
  visit_definitions(unit.content, [&](const Dwarf_Die& die) {
    if (!lacks_code(die)) return;
    const std::vector<Dwarf_Die> parts = parts_of(die);
    const std::string_view shared = shared_name_of(parts);
    names.insert(shared.empty() ? plain_name_of(parts.back()) : shared);
  });
  std::erase_if(folded, [&](const Symbol* symbol) {
    const std::string readable = demangle(std::string(symbol->name));
    return !names.contains(symbol->name) && !names.contains(last_name_of(qualified_name(readable)));
  });
  return folded;
}

bool is_folded(const DebugInfo& info, const Symbol& symbol) {
  if (info.function_at(symbol.begin)) return false;
  const std::string readable(qualified_name(demangle(std::string(symbol.name))));
  bool is_found = false;
  visit_definitions_of(info, [&](const Dwarf_Die& die) {
    if (is_found || !lacks_code(die)) return;
    const std::vector<Dwarf_Die> parts = parts_of(die);
    const std::string_view shared = shared_name_of(parts);
    const bool may_be_it = symbol.is_local && shared.empty() && last_name_of(readable) == plain_name_among(parts);
    is_found = shared == symbol.name || (may_be_it && scoped_name_of(parts) == readable);
  });
  return is_found;
}

bool defines(const DebugInfo& info, const NameQuery& query) {
  bool is_defined = false;
  visit_definitions_of(info, [&](const Dwarf_Die& die) { is_defined = is_defined || fits(query, parts_of(die)); });
  return is_defined;
}

std::vector<InlinedCopy> copies_by_name(const DebugInfo& info, const NameQuery& query) {
  std::unordered_set<const void*> wanted;
  const std::optional<NameQuery> around = query.around_lambda();
  visit_definitions_of(info, [&](const Dwarf_Die& die) {
    const std::vector<Dwarf_Die> parts = parts_of(die);
    if (!fits(around ? *around : query, parts)) return;
    const auto add = [&](const Dwarf_Die& part) { wanted.insert(part.addr); };
    for (const Dwarf_Die& part : parts) {
      if (around)
        visit_lambdas(part, add);
      else
        add(part);
    }
  });
  std::vector<InlinedCopy> copies;
  if (wanted.empty()) return copies;
  for (const DebugUnit& unit : info.units()) {
    visit_all(unit.content, nullptr, [&](Dwarf_Die& die, const Dwarf_Die* function) {
      if (dwarf_tag(&die) != DW_TAG_inlined_subroutine || function == nullptr) return true;
      const std::optional<Dwarf_Die> origin = origin_of(die);
      const std::vector<Dwarf_Die> parts = origin ? parts_of(*origin) : std::vector<Dwarf_Die>();
      const bool is_wanted =
          std::any_of(parts.begin(), parts.end(), [&](const Dwarf_Die& part) { return wanted.contains(part.addr); });
      std::optional<InlinedCopy> copy = is_wanted ? describe_copy(info, die, *function) : std::nullopt;
      if (copy) copies.push_back(std::move(*copy));
      return true;
    });
  }
  return in_order(std::move(copies));
}

}  // namespace moult::internal
