// Problem: which part of the program came from the object's source? Global functions have one name in the program.
// Local ones are found by the unit of the symbol table. If sources in several folders have the same name, the unit with
// the most equal functions is taken, and of those the one that lacks the fewest. Functions of the program that the
// object lacks are those of that unit, and the global ones of the compilation unit in the debug information that most
// functions of the object belong to.
//
// A function that several objects define is in the program once, from any of them. If it differs, and the program's
// copy came from another source, it may have been compiled under other circumstances there. It is unknown then: the
// object of that source shows whether it has changed.
//
// A new variable counts only if a function uses it that is not the same: the linker may have left out one that nothing
// used.
//
// Limits: a shared function or variable that is gone is not seen; other objects may still have it. Two sources with the
// same name that fit equally well are not told apart; the first one is taken. Code without a symbol is not compared.
#include "diff/file_comparison.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "base/names.hpp"
#include "diff/match.hpp"
#include "diff/type_comparison.hpp"
#include "symbols/function_index.hpp"

namespace moult::internal::diff {
namespace {

std::string text_of(Dwarf_Die die, unsigned attribute) {
  Dwarf_Attribute found{};
  const char* const text = dwarf_formstring(dwarf_attr(&die, attribute, &found));
  return text != nullptr ? text : "";
}

/// The addresses of all variables of the source.
std::set<std::uint64_t> variables_of(const DebugUnit& source) {
  std::set<std::uint64_t> addresses;
  visit_all(source.content, nullptr, [&](Dwarf_Die& die, const Dwarf_Die*) {
    if (dwarf_tag(&die) == DW_TAG_variable)
      if (const std::optional<std::uint64_t> address = address_of_variable(die)) addresses.insert(*address);
    return true;
  });
  return addresses;
}

DiffOutcome outcome_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::same: return DiffOutcome::same;
    case Verdict::changed: return DiffOutcome::changed;
    case Verdict::unknown: break;
  }
  return DiffOutcome::unknown;
}

/// True when the unit of `a` is more likely that of the object than the one of `b`.
bool fits_better(const FileComparison& a, const FileComparison& b) {
  const auto functions = [](const FileComparison& in, DiffOutcome outcome) {
    return in.count(ItemKind::function, outcome);
  };
  if (a.fitting != b.fitting) return a.fitting > b.fitting;
  const std::size_t same_in_a = functions(a, DiffOutcome::same);
  const std::size_t same_in_b = functions(b, DiffOutcome::same);
  if (same_in_a != same_in_b) return same_in_a > same_in_b;
  return functions(a, DiffOutcome::gone) < functions(b, DiffOutcome::gone);
}

/// One object against one unit of the program.
class Comparison final {
 public:
  Comparison(const ObjectFile& object, const LinkedFile& program, const DebugInfo* debug_info,
             std::optional<std::size_t> unit)
      : object_(object), program_(program), debug_info_(debug_info), unit_(unit), match_(object, program, unit) {}

  FileComparison run();

 private:
  const ObjectSymbol& symbol_of(const ObjectFunction& function) const {
    return object_.symbols()[function.symbols.front()];
  }
  ComparedItem judge(const ObjectFunction& function, const LinkedSymbol* linked, const DebugUnit* source);
  std::size_t count_fitting(const DebugUnit* source) const;
  const DebugUnit* most_frequent_unit(const std::vector<const LinkedSymbol*>& linked) const;
  void note_origin(ComparedItem& outcome, const LinkedSymbol& linked, const DebugUnit* source) const;
  const DebugUnit* unit_of(const LinkedSymbol& linked) const;
  void note_dropped(const std::vector<ObjectFunction>& functions, std::vector<ComparedItem>& outcomes,
                    const DebugUnit* source) const;
  std::vector<ComparedItem> functions_gone(const DebugUnit* source) const;
  std::vector<ComparedItem> variables_gone(const DebugUnit* source) const;
  std::set<std::size_t> symbols_used_by_differing(const std::vector<ObjectFunction>& functions,
                                                  const std::vector<ComparedItem>& outcomes) const;
  std::vector<ComparedItem> compare_variables(const std::set<std::size_t>& used);

  const ObjectFile& object_;
  const LinkedFile& program_;
  const DebugInfo* debug_info_;
  std::optional<std::size_t> unit_;
  Match match_;
};

FileComparison Comparison::run() {
  const std::vector<ObjectFunction> functions = object_.functions();
  std::vector<const LinkedSymbol*> linked;
  for (const ObjectFunction& function : functions) linked.push_back(match_.find(function));
  const DebugUnit* const source = most_frequent_unit(linked);
  FileComparison comparison;
  comparison.unit = unit_;
  comparison.source = source;
  comparison.fitting = count_fitting(source);
  for (std::size_t i = 0; i < functions.size(); ++i) comparison.items.push_back(judge(functions[i], linked[i], source));
  note_dropped(functions, comparison.items, source);
  const std::set<std::size_t> used = symbols_used_by_differing(functions, comparison.items);
  std::ranges::move(functions_gone(source), std::back_inserter(comparison.items));
  std::ranges::move(compare_variables(used), std::back_inserter(comparison.items));
  std::ranges::move(variables_gone(source), std::back_inserter(comparison.items));
  return comparison;
}

ComparedItem Comparison::judge(const ObjectFunction& function, const LinkedSymbol* linked, const DebugUnit* source) {
  const std::string name(symbol_of(function).name);
  ComparedItem outcome{ItemKind::function, name, demangle(name), DiffOutcome::added};
  outcome.symbol_index = function.symbols.front();
  outcome.linked = linked;
  if (linked == nullptr) return outcome;
  Judgement judgement = function.piece.size() > 0
                            ? match_.compare(function, *linked)
                            : Judgement{Verdict::unknown, "it has no size, as a function in assembly may"};
  outcome.outcome = outcome_of(judgement.verdict);
  outcome.reason = std::move(judgement.reason);
  const bool is_shared = symbol_of(function).binding == Binding::weak;
  if (is_shared && outcome.outcome == DiffOutcome::changed) note_origin(outcome, *linked, source);
  return outcome;
}

/// The compilation unit of a function. Some that compilers add are not described, such as the wrappers of thread-local
/// variables: they lie behind functions of their source that are.
const DebugUnit* Comparison::unit_of(const LinkedSymbol& linked) const {
  if (debug_info_ == nullptr) return nullptr;
  if (const DebugUnit* const unit = debug_info_->unit_at(linked.address)) return unit;
  const LinkedSymbol* const before = program_.function_before(linked.address);
  return before != nullptr ? debug_info_->unit_at(before->address) : nullptr;
}

/// A shared function that differs is unknown if the program has the copy of another source.
void Comparison::note_origin(ComparedItem& outcome, const LinkedSymbol& linked, const DebugUnit* source) const {
  const DebugUnit* const unit = unit_of(linked);
  if (unit != nullptr && unit == source) return;
  outcome.outcome = DiffOutcome::unknown;
  if (unit != nullptr) outcome.origin = text_of(unit->is_missing ? unit->skeleton : unit->content, DW_AT_name);
  const std::string next_step = outcome.origin.empty() ? "build the program with -g, so that moult knows which"
                                                       : "compare " + outcome.origin + ", too";
  outcome.reason += "; the program may have the copy of another source; " + next_step;
}

/// The debug information still describes functions that the linker has dropped (--gc-sections). What the compiler adds
/// for thread-local variables is not described.
void Comparison::note_dropped(const std::vector<ObjectFunction>& functions, std::vector<ComparedItem>& outcomes,
                              const DebugUnit* source) const {
  const bool has_new =
      std::ranges::any_of(outcomes, [](const auto& each) { return each.outcome == DiffOutcome::added; });
  if (!has_new || source == nullptr) return;
  std::set<std::string, std::less<>> dropped;
  visit_all(source->content, nullptr, [&](Dwarf_Die& die, const Dwarf_Die*) {
    if (dwarf_tag(&die) != DW_TAG_subprogram) return true;
    const std::optional<std::uint64_t> code = code_of(die);
    if (!code || debug_info_->is_code(*code)) return true;
    const std::vector<Dwarf_Die> parts = parts_of(die);
    dropped.emplace(linkage_name_of(parts));
    for (const Dwarf_Die& part : parts) dropped.insert(text_of(part, DW_AT_name));
    return true;
  });
  for (std::size_t i = 0; i < functions.size(); ++i) {
    ComparedItem& each = outcomes[i];
    const bool is_helper = each.symbol.starts_with("_ZTW") || each.symbol.starts_with("_ZTH");
    // Local functions have no mangled name there.
    const bool is_local = symbol_of(functions[i]).binding == Binding::local;
    const bool is_dropped =
        dropped.contains(each.symbol) || is_helper || (is_local && dropped.contains(plain_last_name(each.name)));
    if (each.outcome == DiffOutcome::added && is_dropped) each.outcome = DiffOutcome::dropped;
  }
}

/// The compilation unit of the program that the object's source has become.
const DebugUnit* Comparison::most_frequent_unit(const std::vector<const LinkedSymbol*>& linked) const {
  if (debug_info_ == nullptr) return nullptr;
  std::map<const DebugUnit*, std::size_t> counts;
  for (const LinkedSymbol* const each : linked) {
    if (each == nullptr || each->binding == Binding::weak) continue;
    if (const DebugUnit* const unit = debug_info_->unit_at(each->address)) ++counts[unit];
  }
  const auto most = std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  return most == counts.end() ? nullptr : most->first;
}

/// How many local symbols of the unit the source has, by the debug information.
std::size_t Comparison::count_fitting(const DebugUnit* source) const {
  if (source == nullptr || !unit_) return 0;
  const std::set<std::uint64_t> variables = variables_of(*source);
  return static_cast<std::size_t>(std::ranges::count_if(program_.symbols(), [&](const LinkedSymbol& each) {
    if (each.binding != Binding::local || unit_ != each.unit) return false;
    return each.kind == SymbolKind::function ? debug_info_->unit_at(each.address) == source
                                             : variables.contains(each.address);
  }));
}

std::vector<ComparedItem> Comparison::functions_gone(const DebugUnit* source) const {
  std::set<std::string_view> present;
  for (const ObjectSymbol& symbol : object_.symbols())
    if (symbol.section != 0) present.insert(symbol.name);
  std::vector<ComparedItem> gone;
  for (const LinkedSymbol& symbol : program_.symbols()) {
    const bool is_function = symbol.kind == SymbolKind::function && owner_of_cold_part(symbol.name).empty();
    if (!is_function || symbol.binding == Binding::weak || present.contains(symbol.name)) continue;
    const bool is_from_here = symbol.binding == Binding::local
                                  ? unit_ == symbol.unit
                                  : source != nullptr && debug_info_->unit_at(symbol.address) == source;
    if (!is_from_here) continue;
    gone.push_back(
        {ItemKind::function, std::string(symbol.name), demangle(std::string(symbol.name)), DiffOutcome::gone});
    gone.back().linked = &symbol;
  }
  return gone;
}

/// Variables that the source has no longer. Those with a number (static ones of C functions) are told apart by neither
/// side, and what compilers make for themselves does not count.
std::vector<ComparedItem> Comparison::variables_gone(const DebugUnit* source) const {
  std::set<std::string_view> present;
  for (const ObjectSymbol& symbol : object_.symbols())
    if (symbol.section != 0) present.insert(symbol.name);
  const std::set<std::uint64_t> described = source != nullptr ? variables_of(*source) : std::set<std::uint64_t>();
  std::vector<ComparedItem> gone;
  for (const LinkedSymbol& symbol : program_.symbols()) {
    const bool is_data = symbol.kind == SymbolKind::data || symbol.kind == SymbolKind::thread_local_data;
    const bool is_own = symbol.name.starts_with("_ZG") || symbol.name.starts_with("_ZT") ||
                        symbol.name.starts_with("DW.") || symbol.name.starts_with(".L") ||
                        without_number(symbol.name) != symbol.name;
    if (!is_data || is_own || symbol.size == 0 || symbol.binding == Binding::weak || present.contains(symbol.name))
      continue;
    const bool is_from_here = symbol.binding == Binding::local ? unit_.has_value() && unit_ == symbol.unit
                                                               : described.contains(symbol.address);
    if (!is_from_here) continue;
    gone.push_back(
        {ItemKind::variable, std::string(symbol.name), demangle(std::string(symbol.name)), DiffOutcome::gone});
    gone.back().linked = &symbol;
  }
  return gone;
}

/// The variables that functions use which are not the same, also by way of each other.
std::set<std::size_t> Comparison::symbols_used_by_differing(const std::vector<ObjectFunction>& functions,
                                                            const std::vector<ComparedItem>& outcomes) const {
  std::vector<Piece> users;
  for (std::size_t i = 0; i < functions.size(); ++i)
    if (outcomes[i].outcome != DiffOutcome::same && outcomes[i].outcome != DiffOutcome::dropped)
      users.push_back(functions[i].piece);
  std::set<std::size_t> used;
  while (!users.empty()) {
    const Piece user = users.back();
    users.pop_back();
    for (const Relocation& relocation : object_.relocations_of(user)) {
      const std::optional<std::size_t> variable = object_.variable_of(relocation);
      if (!variable || !used.insert(*variable).second) continue;
      const ObjectSymbol& symbol = object_.symbols()[*variable];
      users.push_back({symbol.section, symbol.value, symbol.value + symbol.size});
    }
  }
  return used;
}

std::vector<ComparedItem> Comparison::compare_variables(const std::set<std::size_t>& used) {
  std::vector<ComparedItem> items;
  for (const std::size_t index : object_.variables()) {
    const ObjectSymbol& symbol = object_.symbols()[index];
    const bool is_constant = object_.sections()[symbol.section].is_constant();
    ComparedItem item{is_constant ? ItemKind::constant : ItemKind::variable, std::string(symbol.name),
                      demangle(std::string(symbol.name)), DiffOutcome::added};
    item.symbol_index = index;
    if (const LinkedSymbol* const linked = match_.find(symbol)) {
      item.linked = linked;
      Judgement judgement = match_.compare(symbol, *linked);
      item.outcome = outcome_of(judgement.verdict);
      item.reason = std::move(judgement.reason);
    } else if (!used.contains(index)) {
      continue;
    }
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

std::string_view name_of(DiffOutcome outcome) noexcept {
  switch (outcome) {
    case DiffOutcome::same: return "same";
    case DiffOutcome::changed: return "changed";
    case DiffOutcome::added: return "new";
    case DiffOutcome::gone: return "gone";
    case DiffOutcome::dropped: return "dropped";
    case DiffOutcome::unknown: break;
  }
  return "unknown";
}

std::size_t FileComparison::count(ItemKind kind, DiffOutcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      items, [&](const ComparedItem& each) { return each.kind == kind && each.outcome == outcome; }));
}

bool FileComparison::is_of_other_build() const {
  constexpr std::size_t too_few_to_tell = 4;
  const auto functions = [this](DiffOutcome outcome) { return count(ItemKind::function, outcome); };
  const std::size_t different = functions(DiffOutcome::changed) + functions(DiffOutcome::unknown);
  const std::size_t compared = different + functions(DiffOutcome::same);
  return compared >= too_few_to_tell && different * 2 > compared;
}

FileComparison compare(const ObjectFile& object, const LinkedFile& program, const DebugInfo* debug_info) {
  const std::vector<std::size_t> units = program.units_of(object.source());
  if (units.empty()) return Comparison(object, program, debug_info, std::nullopt).run();
  FileComparison best;
  for (const std::size_t unit : units) {
    FileComparison each = Comparison(object, program, debug_info, unit).run();
    if (unit == units.front() || fits_better(each, best)) best = std::move(each);
  }
  return best;
}

}  // namespace moult::internal::diff
