// Problem: a class may change its layout only together with all code that was compiled with the old one.
//
// Approach: use_search.hpp finds the uses of the class, file by file. This file adds names, run-time addresses for
// every module that the file was loaded as, the copies of member functions, and the parts of the program that cannot be
// searched.
//
// Limits: a function that reaches the class only through a global variable is not found; the variable is. The same
// holds for the result of a call in unoptimised code, where calls are not recorded. Code without debug information is
// not found; `problems` says so when its name contains the class's.
#include "symbols/class_uses.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/names.hpp"
#include "symbols/class_walk.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/use_search.hpp"

namespace moult::internal {
namespace {

/// Describes the entries of one file with names and addresses.
class UseDescriber final {
 public:
  explicit UseDescriber(const ModuleSymbols& symbols) : symbols_(symbols) {}

  ClassUse use(const Dwarf_Die& die, Reach reach) const {
    const std::uint64_t begin = code_of(die).value_or(0);
    ClassUse use{{}, declared_at(die), code_at(begin), reach};
    use.function = name_at(begin, die);
    if (use.place.line == 0) use.place = symbols_.debug_info()->line_of(begin).value_or(SourceLine{});
    return use;
  }

  ClassVariable variable(Dwarf_Die die, Reach reach) const {
    const std::string_view linkage = linkage_name_of(parts_of(die));
    const char* plain = dwarf_diename(&die);
    return {linkage.empty() ? (plain != nullptr ? plain : "") : demangle(std::string(linkage)), declared_at(die),
            reach};
  }

  std::optional<MemberCopy> copy(Dwarf_Die die, const Dwarf_Die& caller, const Dwarf_Die& origin) const {
    std::optional<InlinedCopy> described = describe_copy(*symbols_.debug_info(), die, caller);
    if (!described) return std::nullopt;
    MemberCopy copy;
    const std::string_view linkage = linkage_name_of(parts_of(origin));
    Dwarf_Die named = origin;
    const char* plain = dwarf_diename(&named);
    copy.member = linkage.empty() ? (plain != nullptr ? plain : "") : demangle(std::string(linkage));
    copy.place = {std::move(described->file), described->line};
    copy.caller = name_at(described->caller, caller);
    copy.caller_code = code_at(described->caller);
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
      if (begin < end) copy.code.push_back({CodeAddress{begin}, CodeAddress{end}});
    }
    return copy;
  }

 private:
  CodeRange code_at(std::uint64_t address) const {
    const std::optional<FunctionMatch> match = symbols_.functions().at(address);
    const Symbol* symbol = match && match->original != nullptr  ? match->original
                           : match && !match->fragments.empty() ? match->fragments.front()
                                                                : nullptr;
    return symbol != nullptr ? CodeRange{CodeAddress{symbol->begin}, CodeAddress{symbol->end}}
                             : CodeRange{CodeAddress{address}, CodeAddress{address}};
  }

  std::string name_at(std::uint64_t address, const Dwarf_Die& die) const {
    if (const std::optional<FunctionMatch> match = symbols_.functions().at(address))
      return demangle(std::string(match->name.base));
    Dwarf_Die named = die;
    const char* plain = dwarf_diename(&named);
    return plain != nullptr ? plain : "?";
  }

  const ModuleSymbols& symbols_;
};

void add_copies(const KnownClass& known, const UseDescriber& describer, std::vector<MemberCopy>& copies) {
  std::unordered_map<const void*, bool> verdicts;  // by abstract function
  const auto is_member = [&](const Dwarf_Die& origin) {
    const auto [verdict, is_new] = verdicts.try_emplace(origin.addr, false);
    if (!is_new) return verdict->second;
    const std::vector<Dwarf_Die> parts = parts_of(origin);
    return verdict->second = std::any_of(parts.begin(), parts.end(),
                                         [&](const Dwarf_Die& part) { return known.functions.contains(part.addr); });
  };
  for (const DebugUnit* unit : known.units) {
    visit_all(unit->content, nullptr, [&](Dwarf_Die& die, const Dwarf_Die* function) {
      if (dwarf_tag(&die) != DW_TAG_inlined_subroutine || function == nullptr) return true;
      const std::optional<Dwarf_Die> origin = origin_of(die);
      if (!origin || !is_member(*origin)) return true;
      if (std::optional<MemberCopy> copy = describer.copy(die, *function, *origin)) copies.push_back(std::move(*copy));
      return true;
    });
  }
}

/// Reports functions of the class's name without debug information.
void add_problems(const std::string& path, const ModuleSymbols& symbols, const ClassName& wanted,
                  std::vector<std::string>& problems) {
  const DebugInfo* info = symbols.debug_info();
  for (const FunctionMatch& match : symbols.functions().search(wanted.identifier())) {
    std::string problem = demangle(std::string(match.name.base));
    if (match.original == nullptr || !has_name(problem, wanted.text())) continue;
    if (info != nullptr && info->function_at(match.original->begin)) continue;
    problem.append(" in ").append(path).append(
        " has no debug information, so that it is not known which code there uses ");
    problems.push_back(problem.append(wanted.text()).append("; compile it with -g"));
    break;
  }
  if (info == nullptr) return;
  if (std::string missing = info->missing_file_problem(path); !missing.empty()) problems.push_back(std::move(missing));
  if (info->file().section(".debug_types") != nullptr)
    problems.push_back(path + " has type units of DWARF 4, which are not read; compile it with -gdwarf-5");
}

template <class T, class Key>
void sort_and_unite(std::vector<T>& all, Key&& key) {
  std::sort(all.begin(), all.end(), [&](const T& a, const T& b) { return key(a) < key(b); });
  all.erase(std::unique(all.begin(), all.end(), [&](const T& a, const T& b) { return key(a) == key(b); }), all.end());
}

/// With addresses of the file.
ClassUses uses_in_file(const ModuleSymbols& symbols, const std::string& path, const ClassName& wanted) {
  ClassUses uses;
  add_problems(path, symbols, wanted, uses.problems);
  const DebugInfo* info = symbols.debug_info();
  if (info == nullptr) return uses;
  const KnownClass known = find_class(*info, wanted);
  if (known.entries.empty()) return uses;
  const UseDescriber describer(symbols);
  find_uses(*info, wanted, known, [&](Dwarf_Die die, Reach reach) {
    if (dwarf_tag(&die) == DW_TAG_subprogram)
      uses.functions.push_back(describer.use(die, reach));
    else
      uses.variables.push_back(describer.variable(die, reach));
  });
  add_copies(known, describer, uses.copies);
  return uses;
}

CodeRange loaded_at(std::uintptr_t bias, const CodeRange& code) { return {code.begin + bias, code.end + bias}; }

MemberCopy loaded_at(std::uintptr_t bias, MemberCopy copy) {
  copy.caller_code = loaded_at(bias, copy.caller_code);
  for (CodeRange& code : copy.code) code = loaded_at(bias, code);
  return copy;
}

void append_loaded(const ClassUses& in_file, std::uintptr_t bias, ClassUses& uses) {
  for (ClassUse use : in_file.functions) {
    use.code = loaded_at(bias, use.code);
    uses.functions.push_back(std::move(use));
  }
  for (const MemberCopy& copy : in_file.copies) uses.copies.push_back(loaded_at(bias, copy));
  uses.variables.insert(uses.variables.end(), in_file.variables.begin(), in_file.variables.end());
  for (const std::string& problem : in_file.problems)
    if (std::ranges::find(uses.problems, problem) == uses.problems.end()) uses.problems.push_back(problem);
}

/// A function may have several entries; keeps the one that depends on more.
void put_in_order(ClassUses& uses) {
  const auto rank = [](Reach reach) { return -static_cast<int>(reach); };
  std::sort(uses.functions.begin(), uses.functions.end(), [&](const ClassUse& a, const ClassUse& b) {
    return std::make_tuple(a.code, rank(a.reach)) < std::make_tuple(b.code, rank(b.reach));
  });
  sort_and_unite(uses.functions, [](const ClassUse& use) { return use.code; });
  std::sort(uses.functions.begin(), uses.functions.end(), [](const ClassUse& a, const ClassUse& b) {
    return std::tie(a.place.file, a.place.line, a.function) < std::tie(b.place.file, b.place.line, b.function);
  });
  sort_and_unite(uses.variables, [](const ClassVariable& variable) {
    return std::tie(variable.place.file, variable.place.line, variable.name);
  });
}

}  // namespace

bool uses_class(const ModuleSymbols& symbols, const std::string& path, const ClassName& name) {
  for (const FunctionMatch& match : symbols.functions().search(name.identifier()))
    if (has_name(demangle(std::string(match.name.base)), name.text())) return true;
  const DebugInfo* const info = symbols.debug_info();
  if (info != nullptr) return !find_class(*info, name).entries.empty();
  return !path.starts_with("/usr/") && !path.starts_with("/lib");
}

ClassUses class_uses(const Program& program, const ClassName& name, std::optional<std::size_t> without) {
  std::unordered_map<const ModuleSymbols*, ClassUses> by_file;
  ClassUses uses;
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* symbols = i != without ? program.symbols_of(i) : nullptr;
    if (symbols == nullptr || !program.may_know(i, name)) continue;
    const Module& module = program.modules()[i];
    const auto [found, is_new] = by_file.try_emplace(symbols);
    if (is_new) found->second = uses_in_file(*symbols, module.path, name);
    append_loaded(found->second, module.bias, uses);
  }
  put_in_order(uses);
  return uses;
}

std::vector<MemberCopy> member_copies(const Program& program, const ClassName& of_class) {
  std::unordered_map<const ModuleSymbols*, std::vector<MemberCopy>> by_file;
  std::vector<MemberCopy> copies;
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* symbols = program.may_know(i, of_class) ? program.symbols_of(i) : nullptr;
    const DebugInfo* info = symbols != nullptr ? symbols->debug_info() : nullptr;
    if (info == nullptr) continue;
    const auto [found, is_new] = by_file.try_emplace(symbols);
    if (is_new) {
      const KnownClass known = find_class(*info, of_class);
      if (!known.functions.empty()) add_copies(known, UseDescriber(*symbols), found->second);
    }
    for (const MemberCopy& copy : found->second) copies.push_back(loaded_at(program.modules()[i].bias, copy));
  }
  return copies;
}

}  // namespace moult::internal
