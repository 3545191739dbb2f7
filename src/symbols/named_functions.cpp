// Problem: the symbol table has the code of functions, but not their origin. It has nothing of a function that was
// inlined everywhere. Two functions that the compiler or the linker has merged look like one function with two names.
//
// Approach: every function of the source has a definition (a DW_TAG_subprogram that is not a declaration), whatever
// became of its code. Definitions, methods' too, are at the top of a unit or in its namespaces, so only these are read.
// A local function has no mangled name there; it is known by the names of the scopes around its declaration.
//
// A look-up by name need not read them all. The strings are searched first: demangling one takes a microsecond or two,
// and few have the identifier. Most identifiers that no function has are a variable's or a type's. So the entries that
// refer to a string that fits are looked at next. Only if one is a function's, definitions are read, in the units that
// have such an entry or refer to other units.
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
#include "elf/file_scan.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/unit_filter.hpp"

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

bool fits_as_mangled(const NameQuery& query, std::string_view name) {
  return query.may_fit(name) && query.fit(name, demangle(std::string(name))) != NameQuery::Fit::none;
}

bool fits(const NameQuery& query, const std::vector<Dwarf_Die>& parts) {
  if (!query.source().empty() && !query.fits_source(file_named_by(parts.back(), DW_AT_decl_file))) return false;
  if (const std::string_view mangled = shared_name_of(parts); !mangled.empty()) return fits_as_mangled(query, mangled);
  // Finding the scopes is slow.
  if (!query.may_fit_plain(plain_name_of(parts.back()))) return false;
  const std::string name = scoped_name_of(parts);
  return !name.empty() && query.fit({}, name) != NameQuery::Fit::none;
}

/// The begin of the identifier around `at`.
std::size_t begin_of_identifier(std::string_view bytes, std::size_t at) {
  while (at > 0 && is_identifier_char(bytes[at - 1])) --at;
  return at;
}

/// Calls `visit(position)` for the names in `bytes` that fit as a function's mangled name, or may be its only name.
/// Each ends with a zero byte, and may be the end of a longer one.
template <class Visit>
void visit_names(std::string_view bytes, const NameQuery& query, const Visit& visit) {
  const auto name_at = [&](std::size_t at) { return bytes.substr(at, bytes.find('\0', at) - at); };
  visit_occurrences(bytes, query.identifier(), [&](std::size_t at) {
    const std::string_view name = name_at(at);
    if (query.may_fit_plain(name) || fits_as_mangled(query, name)) visit(at);
    const std::string_view before = bytes.substr(0, at);
    if (!before.ends_with(query.length_in_mangled())) return true;
    for (std::size_t begin = begin_of_identifier(bytes, at); (begin = before.find("_Z", begin)) < at; ++begin)
      if (fits_as_mangled(query, name_at(begin))) visit(begin);
    return true;
  });
}

UnitFilter filter_for(const DebugInfo& info, const NameQuery& query) {
  References offsets;
  visit_names(info.file().section_bytes(".debug_str"), query, [&](std::size_t at) { offsets.add(at); });
  std::vector<const char*> places;  // a short name stands in the unit itself
  const std::string_view entries = info.file().section_bytes(".debug_info");
  visit_names(entries, query, [&](std::size_t at) { places.push_back(entries.data() + at); });
  std::sort(places.begin(), places.end());
  return UnitFilter(info, std::move(places), std::move(offsets));
}

/// Null without such an attribute of the entry's own. Unlike plain_name_of, it does not read the string.
const char* string_of(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute found{};
  return dwarf_formstring(dwarf_attr(&die, attribute, &found));
}

/// Looks for a function, defined or only declared, among the entries around the names that a filter knows. Reads no
/// other strings: all together they are most of the debug information.
class EntrySearch final {
 public:
  EntrySearch(const NameQuery& query, const UnitFilter& filter) : query_(query), filter_(filter) {}

  /// True if the unit has one, or in doubt.
  bool finds_in(const DebugUnit& unit) const {
    const std::optional<std::vector<const char*>> places = filter_.places_in(unit);
    return !places || finds_inside({unit.content, nullptr, 0}, *places);
  }

 private:
  struct Entry {
    Dwarf_Die die;
    const Entry* parent;  ///< null for the unit
    int depth;
  };

  bool finds_inside(const Entry& parent, std::span<const char* const> places) const {
    constexpr int deepest = 300;  // only damaged files nest deeper
    Entry entry{{}, &parent, parent.depth + 1};
    Dwarf_Die from = parent.die;
    if (entry.depth > deepest) return true;
    if (dwarf_child(&from, &entry.die) != 0) return false;
    for (bool is_last = false; !is_last && !places.empty();) {
      Dwarf_Die next{};
      is_last = dwarf_siblingof(&entry.die, &next) != 0;
      const auto end = is_last ? places.end() : std::ranges::lower_bound(places, static_cast<const char*>(next.addr));
      const std::span inside(places.begin(), end);
      if (!inside.empty() && (is_it(entry) || finds_inside(entry, inside))) return true;
      places = places.subspan(inside.size());
      entry.die = next;
    }
    return false;
  }

  /// By the entry's own names alone: an entry that it refers to has a name in a place of its own.
  bool is_it(const Entry& entry) const {
    Dwarf_Die die = entry.die;
    if (dwarf_tag(&die) != DW_TAG_subprogram) return false;
    for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name})
      if (const char* const mangled = string_of(die, attribute)) return is_named(mangled);
    const char* const plain = string_of(die, DW_AT_name);
    const bool is_part =
        dwarf_hasattr(&die, DW_AT_abstract_origin) != 0 || dwarf_hasattr(&die, DW_AT_specification) != 0;
    if (is_part || plain == nullptr || !filter_.may_be_name(plain)) return false;
    if (dwarf_hasattr(&die, DW_AT_external) != 0) return is_named(plain);
    const std::string name = query_.may_fit_plain(plain) ? scoped_name(entry, plain) : std::string();
    return !name.empty() && query_.fit({}, name) != NameQuery::Fit::none;
  }

  bool is_named(const char* mangled) const { return filter_.may_be_name(mangled) && fits_as_mangled(query_, mangled); }

  /// The same as scoped_name_of, which looks for the scopes in the whole unit.
  static std::string scoped_name(const Entry& entry, std::string name) {
    for (const Entry* around = entry.parent; around->parent != nullptr; around = around->parent) {
      Dwarf_Die die = around->die;
      const std::string_view scope = plain_name_of(die);
      const bool is_unnamed = scope.empty() && dwarf_tag(&die) != DW_TAG_namespace;
      if (is_unnamed || dwarf_tag(&die) == DW_TAG_subprogram) return {};
      name.insert(0, (scope.empty() ? "(anonymous namespace)" : std::string(scope)) + "::");
    }
    return name;
  }

  const NameQuery& query_;
  const UnitFilter& filter_;
};

/// False only when no function in the debug information fits, defined or not.
bool may_know(const DebugInfo& info, const UnitFilter& filter, const NameQuery& query) {
  const EntrySearch search(query, filter);
  FileScan scan(info.file().section_bytes(".debug_info"));
  return std::any_of(info.units().begin(), info.units().end(), [&](const DebugUnit& unit) {
    scan.pass(unit.bytes.data());
    return search.finds_in(unit);
  });
}

/// The units that may define a function that fits.
std::vector<const DebugUnit*> units_defining(const DebugInfo& info, const NameQuery& query) {
  std::vector<const DebugUnit*> units;
  if (query.has_own_identifier()) {
    const UnitFilter filter = filter_for(info, query);
    return may_know(info, filter, query) ? filter.naming_or_referring() : units;
  }
  for (const DebugUnit& unit : info.units()) units.push_back(&unit);
  return units;
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

/// The copies of the functions that have one of the entries `wanted`.
std::vector<InlinedCopy> copies_of(const DebugInfo& info, const std::unordered_set<const void*>& wanted) {
  std::vector<InlinedCopy> copies;
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
  for (const DebugUnit* const unit : units_defining(info, query))
    visit_definitions(unit->content,
                      [&](const Dwarf_Die& die) { is_defined = is_defined || fits(query, parts_of(die)); });
  return is_defined;
}

SourceFunction source_function(const DebugInfo& info, const NameQuery& query) {
  SourceFunction function;
  std::unordered_set<const void*> wanted;
  const std::optional<NameQuery> around = query.around_lambda();
  for (const DebugUnit* const unit : units_defining(info, query))
    visit_definitions(unit->content, [&](const Dwarf_Die& die) {
      const std::vector<Dwarf_Die> parts = parts_of(die);
      const bool is_it = fits(query, parts);
      function.is_defined = function.is_defined || is_it;
      const auto add = [&](const Dwarf_Die& part) { wanted.insert(part.addr); };
      if (around && fits(*around, parts))
        for (const Dwarf_Die& part : parts) visit_lambdas(part, add);
      else if (!around && is_it)
        std::for_each(parts.begin(), parts.end(), add);
    });
  if (!wanted.empty()) function.copies = copies_of(info, wanted);
  return function;
}

}  // namespace moult::internal
