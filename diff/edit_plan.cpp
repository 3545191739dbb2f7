// Approach. Code that the program has is used where it is: calls of a function that is replaced pass its entry, as they
// do in the rest of the program, and its address stays what it was. Variables are the program's, so they keep their
// values. What the program lacks (new functions and variables, texts, tables) comes with the update, section by
// section: the object was compiled with -ffunction-sections and -fdata-sections.
//
// A clone (f.constprop.0) is compiled for its callers and has no address that others know. One that differs comes with
// the update, and so do all functions of the object that call it; a call of the program's clone must have ended.
//
// Limits, each a refusal: accesses to new thread-local variables; data of a library that the program does not use yet,
// at a fixed distance; objects that are not position-independent; new virtual functions; variables of another size.
#include "diff/edit_plan.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/names.hpp"
#include "diff/made_functions.hpp"
#include "symbols/name_query.hpp"
#include "symbols/static_variables.hpp"

namespace moult::internal::diff {
namespace {

/// f.constprop.0: made for certain callers, which name it.
bool is_clone(std::string_view name) noexcept {
  for (const std::string_view kind : {".constprop", ".isra", ".part"})
    if (name.find(kind) != std::string_view::npos) return true;
  return false;
}

/// A version for certain processors, a part of a coroutine, a nested function: code that others may hold, under a name
/// that tells nothing of them.
bool is_special(std::string_view name) noexcept {
  return name.find('.', 1) != std::string_view::npos && !is_clone(name) && !is_start_code(name);
}

/// "_ZZ4plusiE1n" of "_ZZ4plusiE1n_0": static variables of one name in a function.
std::string_view without_discriminator(std::string_view name) noexcept {
  const std::size_t last = name.find_last_not_of("0123456789");
  const bool has_it = name.starts_with("_ZZ") && last != std::string_view::npos && last > 0 && name[last] == '_';
  return has_it ? name.substr(0, name[last - 1] == '_' ? last - 1 : last) : name;
}

/// By the names that moult::variable takes, "app::f()::count".
bool is_named(const std::string& variable, const std::string& choice) {
  const std::string name = variable_name(variable);
  const std::string wanted = variable_name(choice);
  return name == wanted || without_unnamed_namespaces(name) == wanted;
}

bool is_of_virtual_functions(std::string_view name) noexcept {
  return name.starts_with("_ZTV") || name.starts_with("_ZTT") || name.starts_with("_ZTC");
}

/// Of code that was added to the source.
bool is_table_of_additions(std::string_view section) noexcept {
  return section == classes_section || section == beginnings_section;
}

Piece piece_of(const ObjectSymbol& symbol) { return {symbol.section, symbol.value, symbol.value + symbol.size}; }

/// A call or a jump: the assembler has other relocations for those of local functions. The byte before the distance of
/// an access to memory is none of these.
bool is_branch(const ObjectSection& section, const Relocation& relocation) noexcept {
  if (relocation.type == R_X86_64_PLT32) return true;
  if (relocation.type != R_X86_64_PC32 || !section.is_code() || relocation.offset < 2) return false;
  const std::uint8_t opcode = section.bytes[relocation.offset - 1];
  const bool is_conditional = section.bytes[relocation.offset - 2] == 0x0F && (opcode & 0xF0) == 0x80;
  return opcode == 0xE8 || opcode == 0xE9 || is_conditional;
}

std::optional<FieldKind> direct_kind_of(std::uint32_t type) noexcept {
  switch (type) {
    case R_X86_64_64: return FieldKind::address;
    case R_X86_64_PC32:
    case R_X86_64_PLT32: return FieldKind::distance;
    case R_X86_64_TPOFF32: return FieldKind::thread_offset;
    default: return std::nullopt;
  }
}

std::optional<FieldKind> indirect_kind_of(std::uint32_t type) noexcept {
  switch (type) {
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX: return FieldKind::address;
    case R_X86_64_GOTTPOFF: return FieldKind::wide_thread_offset;
    default: return std::nullopt;
  }
}

class Planner final {
 public:
  Planner(const ObjectFile& object, const LinkedFile& program, const FileComparison& comparison,
          const EditChoices& choices, const NewNames& news, std::set<std::string, std::less<>>& defined)
      : object_(object),
        program_(program),
        comparison_(comparison),
        choices_(choices),
        news_(news),
        defined_(defined) {}

  EditPlan run();

 private:
  /// A function of the object, with what the comparison says of it.
  struct Function {
    ObjectFunction function;
    std::string name;
    DiffOutcome outcome = DiffOutcome::same;
    const LinkedSymbol* linked = nullptr;
    const ObjectSymbol* cold = nullptr;

    bool is_new() const { return outcome == DiffOutcome::added || outcome == DiffOutcome::dropped; }
  };
  /// What a relocation refers to: a symbol of the object, and the distance from its beginning to what the field means.
  struct Target {
    std::size_t symbol = 0;
    std::int64_t distance = 0;
  };

  void read_functions();
  void read_variables();
  void judge_initial_value(const ComparedItem& item);
  std::string why_not_reset(const ComparedItem& item) const;
  bool is_initialised_by_code(std::size_t variable) const;
  void find_replaced();
  bool uses_changed_clone(const Function& function) const;
  void follow();
  void include(std::size_t section);
  void include_function(const Function& function);
  void include_needed();
  void decide(std::size_t section, const Relocation& relocation);
  Target target_of(std::size_t section, const Relocation& relocation) const;
  const Function* function_with(std::size_t section, std::uint64_t offset) const;
  const LinkedSymbol* programs(const ObjectSymbol& symbol) const;
  const LinkedSymbol* renamed(const ObjectSymbol& symbol) const;
  void judge_renamings();
  void refuse_renaming(const std::string& gone, const std::string& fresh);
  const LinkedSymbol* numbered(const ObjectSymbol& symbol) const;
  bool decide_code(std::size_t section, const Relocation& relocation, const Target& target);
  bool decide_data(std::size_t section, const Relocation& relocation, const Target& target);
  bool is_split_in_program(const ObjectSymbol& symbol) const;
  bool bind_new(std::size_t section, const Relocation& relocation, const Target& target);
  void bind(std::size_t section, const Relocation& relocation, const LinkedSymbol& linked, const Target& target);
  bool computes_address(std::size_t section, const Relocation& relocation) const;
  bool leads_into_replaced(const ObjectSymbol& data) const;
  void use_own(std::size_t section, const Relocation& relocation, const ObjectSymbol& symbol);
  void require_own_entry(const Function& function);
  void require_beginnings();
  void require_same_kind(const ObjectSymbol& symbol, const LinkedSymbol& linked);
  void require_same_discriminators(const ObjectSymbol& symbol);
  void note_new_code();
  void judge_gone();
  bool is_address_used(const LinkedSymbol& function) const;
  bool calls_replaced(const LinkedSymbol& function) const;
  std::set<std::uint64_t> replaced_entries() const;
  void note_held();
  void note_replaced();
  void refuse(std::string why) {
    if (std::ranges::find(plan_.refusals, why) == plan_.refusals.end()) plan_.refusals.push_back(std::move(why));
  }
  void refuse_indirect(const ObjectSymbol& symbol) {
    refuse(shown(symbol) +
           ": an indirect function (ifunc), which the program has resolved at its start; edit and call what it "
           "resolves to");
  }
  void note(std::string what) {
    if (std::ranges::find(plan_.notes, what) == plan_.notes.end()) plan_.notes.push_back(std::move(what));
  }
  const ObjectSymbol& symbol_of(const Function& function) const {
    return object_.symbols()[function.function.symbols.front()];
  }
  std::string shown(const ObjectSymbol& symbol) const {
    return demangle(std::string(symbol.name.starts_with("_Z") ? without_number(symbol.name) : symbol.name));
  }

  const ObjectFile& object_;
  const LinkedFile& program_;
  const FileComparison& comparison_;
  const EditChoices& choices_;
  const NewNames& news_;
  std::set<std::string, std::less<>>& defined_;
  EditPlan plan_;
  std::vector<Function> functions_;
  std::map<std::size_t, const ComparedItem*> variables_;  ///< by the symbol's index
  std::set<const Function*> replaced_;
  std::map<ObjectPlace, ObjectPlace> exception_tables_;
  std::vector<std::size_t> pending_;  ///< sections whose references are not decided yet
};

EditPlan Planner::run() {
  exception_tables_ = exception_tables_of(object_);
  read_functions();
  read_variables();
  find_replaced();
  for (const Function* const each : replaced_) {
    require_own_entry(*each);
    include_function(*each);
  }
  // What converts objects: functions of other sources may rely on it, too. A new variable's beginning may have effects
  // that nothing else in this source refers to.
  for (std::size_t i = 1; i < object_.sections().size(); ++i)
    if (is_table_of_additions(object_.sections()[i].name)) include(i);
  include_needed();
  if (!plan_.sections.empty()) {
    // Unwind information refers to the routine that handles exceptions by a pointer of the object's own.
    for (std::size_t i = 1; i < object_.sections().size(); ++i)
      if (object_.sections()[i].name.find(".DW.ref.") != std::string_view::npos) include(i);
  }
  follow();
  require_beginnings();
  judge_renamings();
  note_replaced();
  judge_gone();
  note_held();
  return std::move(plan_);
}

void Planner::read_functions() {
  const std::vector<ObjectFunction> functions = object_.functions();
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const ComparedItem& item = comparison_.items[i];
    Function function{functions[i], item.name, item.outcome, item.linked};
    for (const std::size_t each : functions[i].symbols)
      if (function.cold == nullptr) function.cold = object_.cold_part_of(object_.symbols()[each].name);
    if (item.outcome == DiffOutcome::unknown) refuse(item.name + ": " + item.reason);
    functions_.push_back(std::move(function));
  }
}

void Planner::read_variables() {
  for (const ComparedItem& item : comparison_.items) {
    if (item.kind == ItemKind::function || !item.symbol_index) continue;
    variables_.emplace(*item.symbol_index, &item);
    if (item.outcome == DiffOutcome::unknown) refuse(item.name + ": " + item.reason);
    if (item.outcome != DiffOutcome::changed) continue;
    const ObjectSymbol& symbol = object_.symbols()[*item.symbol_index];
    const std::string sizes =
        item.name + ": has " + std::to_string(symbol.size) + " bytes instead of " + std::to_string(item.linked->size);
    if (item.kind == ItemKind::variable) {
      if (symbol.size == item.linked->size)
        judge_initial_value(item);
      else
        refuse(sizes + "; a variable that exists cannot change its size: give the new one another name");
    } else if (is_of_virtual_functions(symbol.name)) {
      refuse(item.name +
             ": objects that exist lead to the program's table of virtual functions; a class keeps its virtual "
             "functions and their order in an edit");
    } else if (symbol.binding == Binding::local) {
      note(item.name + ": who holds the address of this constant goes on with the old one");
    } else {
      refuse(item.name +
             ": other sources may use this constant as it was; make it static to this source, or build the "
             "program again");
    }
  }
}

/// It has the program's size, and begins with other bytes.
void Planner::judge_initial_value(const ComparedItem& item) {
  const ObjectSymbol& symbol = object_.symbols()[*item.symbol_index];
  const auto choice =
      std::ranges::find_if(choices_.reset, [&](const std::string& each) { return is_named(item.name, each); });
  if (choice == choices_.reset.end())
    return note(item.name +
                " keeps the value that it has: its new initial value is for programs that start; --reset '" +
                variable_name(item.name) + "' gives it to running ones, too");
  if (const std::string why = why_not_reset(item); !why.empty())
    return refuse(item.name + ": cannot be reset: " + why + "; leave out --reset, so that it keeps its value");
  const ObjectSection& section = object_.sections()[symbol.section];
  std::vector<std::uint8_t> value(symbol.size);
  if (!section.bytes.empty()) std::ranges::copy(section.bytes.subspan(symbol.value, symbol.size), value.begin());
  plan_.resets.push_back({item.name, item.symbol, *choice, item.linked->address, std::move(value)});
}

std::string Planner::why_not_reset(const ComparedItem& item) const {
  const ObjectSymbol& symbol = object_.symbols()[*item.symbol_index];
  if (symbol.kind == SymbolKind::thread_local_data) return "each thread has its own";
  if (!program_.is_writable(item.linked->address)) return "it is a constant in the program";
  if (!object_.relocations_of({symbol.section, symbol.value, symbol.value + symbol.size}).empty())
    return "its initial value has an address in it";
  if (is_initialised_by_code(*item.symbol_index)) return "code makes its value before main, or ends it after";
  return {};
}

/// Code that runs before main refers to it.
bool Planner::is_initialised_by_code(std::size_t variable) const {
  return std::ranges::any_of(functions_, [&](const Function& each) {
    const Piece& piece = each.function.piece;
    return is_start_code(symbol_of(each).name) &&
           std::ranges::any_of(object_.relocations_of(piece), [&](const Relocation& relocation) {
             return target_of(piece.section, relocation).symbol == variable;
           });
  });
}

/// The functions of the program that get a new version: each that differs, and each caller of a clone that does.
void Planner::find_replaced() {
  for (const Function& each : functions_) {
    const std::string_view name = symbol_of(each).name;
    const bool is_given = symbol_of(each).binding == Binding::weak && defined_.contains(name);
    if (each.outcome != DiffOutcome::changed || is_clone(name) || is_given) continue;
    if (is_special(name)) {
      refuse(each.name +
             ": is a part of a coroutine, a nested function, or a version for certain processors; the "
             "program may hold it, so moult does not replace it");
      continue;
    }
    if (each.linked->is_indirect)
      refuse_indirect(symbol_of(each));
    else if (!is_start_code(name))
      replaced_.insert(&each);
  }
  for (bool grows = true; grows;) {
    grows = false;
    for (const Function& each : functions_)
      if (each.outcome == DiffOutcome::same && !replaced_.contains(&each) && uses_changed_clone(each))
        grows = replaced_.insert(&each).second;
  }
}

/// A function of the same code may have been merged with this one. Calls of it would reach the new version, too.
void Planner::require_own_entry(const Function& function) {
  for (const std::size_t each : program_.at(function.linked->address)) {
    const LinkedSymbol& other = program_.symbols()[each];
    const bool is_alias = std::ranges::any_of(
        function.function.symbols, [&](std::size_t symbol) { return object_.symbols()[symbol].name == other.name; });
    if (other.kind == SymbolKind::function && !is_alias)
      refuse(function.name + ": shares its code in the program with " + demangle(std::string(other.name)) +
             ", which would change, too; build the program with -fno-ipa-icf, and link it without --icf=all");
  }
}

bool Planner::uses_changed_clone(const Function& function) const {
  const std::string_view own = symbol_of(function).name;
  if (is_clone(own) || is_start_code(own)) return false;
  const auto uses = [&](const Piece& piece) {
    return std::ranges::any_of(object_.relocations_of(piece), [&](const Relocation& each) {
      const Target target = target_of(piece.section, each);
      const ObjectSymbol& symbol = object_.symbols()[target.symbol];
      if (symbol.section == 0 || !object_.sections()[symbol.section].is_code()) return false;
      const Function* const used = function_with(symbol.section, symbol.value);
      return used != nullptr && used->outcome == DiffOutcome::changed && is_clone(symbol_of(*used).name);
    });
  };
  if (uses(function.function.piece)) return true;
  return function.cold != nullptr && uses(piece_of(*function.cold));
}

void Planner::include(std::size_t section) {
  if (plan_.sections.insert(section).second) pending_.push_back(section);
}

void Planner::include_function(const Function& function) {
  const auto include_part = [&](std::size_t section, std::uint64_t offset) {
    include(section);
    if (const auto table = exception_tables_.find({section, offset}); table != exception_tables_.end())
      include(table->second.section);
  };
  include_part(function.function.piece.section, function.function.piece.begin);
  if (function.cold != nullptr) include_part(function.cold->section, function.cold->value);
}

void Planner::follow() {
  while (!pending_.empty()) {
    const std::size_t section = pending_.back();
    pending_.pop_back();
    for (const Relocation& each : object_.sections()[section].relocations)
      if (each.type != R_X86_64_NONE) decide(section, each);
  }
}

/// The function of the object, or its cold part, that has the byte; null if there is none.
const Planner::Function* Planner::function_with(std::size_t section, std::uint64_t offset) const {
  const auto found = std::ranges::find_if(functions_, [&](const Function& each) {
    if (each.function.piece.section == section && each.function.piece.contains(offset)) return true;
    return each.cold != nullptr && each.cold->section == section && piece_of(*each.cold).contains(offset);
  });
  return found == functions_.end() ? nullptr : &*found;
}

Planner::Target Planner::target_of(std::size_t section, const Relocation& relocation) const {
  const ObjectSymbol& symbol = object_.symbols()[relocation.symbol];
  const bool is_code = object_.sections()[section].is_code();
  const std::int64_t distance = relocation.addend + (is_code ? relocation.bias : 0);
  if (symbol.section == 0 || symbol.kind != SymbolKind::section) return {relocation.symbol, distance};
  const std::uint64_t size = object_.sections()[symbol.section].size;
  const std::int64_t place = static_cast<std::int64_t>(symbol.value) + distance;
  const auto inside = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(place, 0, size == 0 ? 0 : static_cast<std::int64_t>(size) - 1));
  const ObjectSymbol* const found = object_.symbol_at(symbol.section, inside);
  if (found == nullptr) return {relocation.symbol, distance};
  return {static_cast<std::size_t>(found - object_.symbols().data()), place - static_cast<std::int64_t>(found->value)};
}

/// The program's function or variable that the object's symbol stands for; null if it has none.
const LinkedSymbol* Planner::programs(const ObjectSymbol& symbol) const {
  const LinkedSymbol* found = renamed(symbol);
  if (found != nullptr) return found;
  for (const std::size_t each : program_.named(symbol.name)) {
    const LinkedSymbol& linked = program_.symbols()[each];
    const bool is_local = symbol.section != 0 && symbol.binding == Binding::local;
    const bool is_it = is_local ? linked.binding == Binding::local && comparison_.unit == linked.unit
                                : linked.binding != Binding::local;
    if (is_it && (symbol.section == 0 || linked.kind == symbol.kind)) found = &linked;
  }
  return found;
}

/// The variable that is gone, and that the author says the new one to be.
const LinkedSymbol* Planner::renamed(const ObjectSymbol& symbol) const {
  if (choices_.renamed.empty() || symbol.section == 0) return nullptr;
  const auto choice = choices_.renamed.find(shown(symbol));
  if (choice == choices_.renamed.end()) return nullptr;
  for (const ComparedItem& each : comparison_.items)
    if (each.kind == ItemKind::variable && each.outcome == DiffOutcome::gone && each.name == choice->second)
      return each.linked;
  return nullptr;
}

/// The program's variable of a C function (`counter.0`): the only one that differs from the symbol in its number alone.
const LinkedSymbol* Planner::numbered(const ObjectSymbol& symbol) const {
  const std::string_view stem = without_number(symbol.name);
  const auto is_alike = [&](std::string_view name, SymbolKind kind) {
    return kind == symbol.kind && name != stem && without_number(name) == stem;
  };
  const LinkedSymbol* found = nullptr;
  for (const LinkedSymbol& each : program_.symbols()) {
    const bool is_here = each.binding == Binding::local && comparison_.unit == each.unit;
    if (!is_here || !is_alike(each.name, each.kind)) continue;
    if (found != nullptr) return nullptr;
    found = &each;
  }
  const auto in_object = std::ranges::count_if(
      object_.symbols(), [&](const ObjectSymbol& each) { return each.section != 0 && is_alike(each.name, each.kind); });
  return in_object == 1 ? found : nullptr;
}

/// What other sources of the edit refer to.
void Planner::include_needed() {
  for (std::size_t i = 0; i < object_.symbols().size(); ++i) {
    const ObjectSymbol& symbol = object_.symbols()[i];
    const bool is_needed =
        symbol.section != 0 && symbol.binding == Binding::global && news_.needed.contains(std::string(symbol.name));
    if (!is_needed) continue;
    const Function* const function = function_with(symbol.section, symbol.value);
    if (function != nullptr)
      include_function(*function);
    else
      include(symbol.section);
    if (function == nullptr && !object_.sections()[symbol.section].is_constant()) plan_.variables.insert(i);
  }
}

void Planner::decide(std::size_t section, const Relocation& relocation) {
  const Target target = target_of(section, relocation);
  const ObjectSymbol& symbol = object_.symbols()[target.symbol];
  if (symbol.is_indirect) return refuse_indirect(symbol);
  if (symbol.section == 0) {
    if (const LinkedSymbol* const linked = programs(symbol))
      bind(section, relocation, *linked, target);
    else
      use_own(section, relocation, symbol);
    return;
  }
  const bool is_bound = object_.sections()[symbol.section].is_code() ? decide_code(section, relocation, target)
                                                                     : decide_data(section, relocation, target);
  if (is_bound) return;
  use_own(section, relocation, symbol);
}

/// True if the reference leads to the program's function.
bool Planner::decide_code(std::size_t section, const Relocation& relocation, const Target& target) {
  const ObjectSymbol& symbol = object_.symbols()[target.symbol];
  const Function* const function = function_with(symbol.section, symbol.value);
  if (function == nullptr) {
    include(symbol.section);
    return false;
  }
  const bool is_code = object_.sections()[section].is_code();
  const bool is_in_itself = is_code && function_with(section, relocation.offset) == function;
  const bool is_table = !is_code && relocation.type == R_X86_64_PC32;
  const bool is_inside = target.distance != 0 || (function->cold != nullptr && &symbol == function->cold);
  if (plan_.sections.contains(symbol.section) &&
      (is_table || is_inside || (is_in_itself && is_branch(object_.sections()[section], relocation))))
    return false;
  const std::string_view name = symbol_of(*function).name;
  const bool is_own = function->is_new() || (is_clone(name) && function->outcome == DiffOutcome::changed);
  if (!is_own && !is_table && function->linked != nullptr) {
    bind(section, relocation, *function->linked, target);
    return true;
  }
  const bool is_shared = symbol.binding == Binding::weak;
  if (is_shared && defined_.contains(symbol.name)) {
    plan_.undefined.insert(target.symbol);
    return false;
  }
  include_function(*function);
  return false;
}

bool Planner::decide_data(std::size_t section, const Relocation& relocation, const Target& target) {
  const ObjectSymbol& symbol = object_.symbols()[target.symbol];
  const ObjectSection& in = object_.sections()[symbol.section];
  const bool has_name = symbol.kind == SymbolKind::data || symbol.kind == SymbolKind::thread_local_data;
  if (has_name && !symbol.name.starts_with("DW.ref.")) {
    const auto item = variables_.find(target.symbol);
    const bool is_constant = in.is_constant();
    const bool has_changed = is_constant && item != variables_.end() && item->second->outcome == DiffOutcome::changed;
    const LinkedSymbol* linked = programs(symbol);
    if (without_number(symbol.name) != symbol.name && !is_constant) {
      linked = numbered(symbol);
      if (linked == nullptr && comparison_.unit)
        refuse(std::string(without_number(symbol.name)) +
               ": this source has several static variables of that name in its functions, or a new one; moult cannot "
               "tell which is which: give it a name of its own");
    }
    if (linked != nullptr) {
      require_same_kind(symbol, *linked);
      require_same_discriminators(symbol);
    } else if (!is_constant && is_split_in_program(symbol)) {
      refuse(shown(symbol) +
             ": the compiler has split this variable in the program, and does not in the edited source");
    }
    const bool has_labels = leads_into_replaced(symbol);
    if (has_labels && !is_constant)
      refuse(shown(symbol) + ": holds addresses of places in a function that is replaced; make it const");
    if (linked != nullptr && !is_constant && linked->size != symbol.size)
      refuse(shown(symbol) + ": has " + std::to_string(symbol.size) + " bytes instead of " +
             std::to_string(linked->size) + "; a variable that exists cannot change its size");
    if (linked != nullptr && !has_changed && !has_labels && (!is_constant || linked->size == symbol.size)) {
      bind(section, relocation, *linked, target);
      return true;
    }
    if (symbol.kind == SymbolKind::thread_local_data)
      refuse(shown(symbol) +
             ": a new thread-local variable cannot be given to threads that run; keep the value in a map "
             "by thread, or build the program again");
    if (symbol.binding == Binding::weak && defined_.contains(symbol.name)) {
      plan_.undefined.insert(target.symbol);
      return false;
    }
    if (!is_constant) {
      include(symbol.section);
      return bind_new(section, relocation, target);
    }
  }
  include(symbol.section);
  return false;
}

/// A later edit goes on with the variables that this one brings. So uses of them are not the linker's either.
bool Planner::bind_new(std::size_t section, const Relocation& relocation, const Target& target) {
  const auto direct = direct_kind_of(relocation.type);
  const auto indirect = indirect_kind_of(relocation.type);
  const FieldKind kind = direct.value_or(indirect.value_or(FieldKind::thread_offset));
  if (kind != FieldKind::address && kind != FieldKind::distance) return false;
  const bool is_distance = kind == FieldKind::distance;
  const std::int64_t bias = object_.sections()[section].is_code() ? relocation.bias : 0;
  plan_.variables.insert(target.symbol);
  plan_.fields[{section, relocation.offset}] = {
      is_distance ? FieldKind::variable_distance : FieldKind::variable_address, 0,
      direct ? target.distance - bias : relocation.addend, !direct.has_value(), target.symbol};
  return true;
}

/// A constant of the program is not to be written, and a variable of it is none to read from once.
void Planner::require_same_kind(const ObjectSymbol& symbol, const LinkedSymbol& linked) {
  if (linked.kind == SymbolKind::thread_local_data) return;
  const ObjectSection& section = object_.sections()[symbol.section];
  const bool is_variable = program_.is_writable(linked.address);
  if (is_variable == section.is_constant())
    refuse(shown(symbol) + (is_variable ? ": was a variable and is a constant" : ": was a constant and is a variable") +
           "; give it another name");
  const bool is_alone = section.symbols.size() == 1;
  if (is_alone && section.alignment > 1 && linked.address % section.alignment != 0)
    refuse(shown(symbol) + ": is to be aligned to " + std::to_string(section.alignment) +
           " bytes, and the program's lies elsewhere; give it another name");
  // clang may have split the variable, and shrunk the guard.
  const std::string_view stem = without_number(symbol.name);
  const std::string guard_name = "_ZGV" + std::string(stem.substr(std::min<std::size_t>(2, stem.size())));
  for (const ObjectSymbol& each : object_.symbols()) {
    if (each.section == 0 || !each.name.starts_with(guard_name) || programs(each) != nullptr) continue;
    refuse(shown(symbol) +
           ": exists, and code initialises it at its first use now, which would be a second time; give "
           "it another name");
  }
}

/// Several static variables of one name in a function are told apart by their order.
void Planner::require_same_discriminators(const ObjectSymbol& symbol) {
  plan_.binds_numbered |= without_number(symbol.name) != symbol.name ||
                          shown(symbol).find("lambda") != std::string::npos ||
                          shown(symbol).find("$_") != std::string::npos;
  if (!symbol.name.starts_with("_ZZ")) return;
  const std::string_view stem = without_discriminator(symbol.name);
  const auto in_object = std::ranges::count_if(object_.symbols(), [&](const ObjectSymbol& each) {
    return each.section != 0 && each.kind == symbol.kind && without_discriminator(each.name) == stem;
  });
  const auto in_program = std::ranges::count_if(program_.symbols(), [&](const LinkedSymbol& each) {
    return each.kind == symbol.kind && without_discriminator(each.name) == stem &&
           (each.binding != Binding::local || comparison_.unit == each.unit);
  });
  if (in_object != in_program)
    refuse(shown(symbol) + ": the function has " + std::to_string(in_object) +
           " static variables of that name instead of " + std::to_string(in_program) +
           ", and moult cannot tell which is which; give the new one another name");
}

/// clang makes s.0 and s.1 of the parts of `s` if they are used one by one.
bool Planner::is_split_in_program(const ObjectSymbol& symbol) const {
  return std::ranges::any_of(program_.symbols(), [&](const LinkedSymbol& each) {
    return each.name != symbol.name && without_number(each.name) == symbol.name && each.kind == symbol.kind &&
           comparison_.unit == each.unit;
  });
}

/// New functions belong to their callers: no call of them may be in progress when a later edit or a rollback
/// takes these away.
void Planner::note_new_code() {
  ReplacedFunction fresh;
  for (const Function& each : functions_) {
    if (!plan_.sections.contains(each.function.piece.section) || replaced_.contains(&each)) continue;
    if (fresh.name.empty()) fresh.name = each.name;
    fresh.replacement.push_back(each.function.piece);
    if (each.cold != nullptr) fresh.replacement.push_back(piece_of(*each.cold));
  }
  if (!fresh.replacement.empty()) plan_.functions.push_back(std::move(fresh));
}

/// Functions that are gone go on with the calls in progress, and for who holds their address. They were compiled for
/// the old versions of what they call.
void Planner::judge_gone() {
  for (const ComparedItem& item : comparison_.items) {
    if (item.kind != ItemKind::function || item.outcome != DiffOutcome::gone || item.linked == nullptr) continue;
    if (plan_.functions.empty() || is_start_code(item.symbol)) continue;
    const LinkedSymbol& gone = *item.linked;
    plan_.functions.push_back({item.name, {{CodeAddress{gone.address}, CodeAddress{gone.address + gone.size}}}, {}});
    if (calls_replaced(gone) && is_address_used(gone))
      refuse(item.name +
             ": is gone, and the program may hold its address; it calls functions that are replaced, and was "
             "compiled for the old ones: keep it in the source");
  }
}

/// Of the functions that the update replaces or that are gone, as the plan lists them so far.
std::set<std::uint64_t> Planner::replaced_entries() const {
  std::set<std::uint64_t> entries;
  for (const ReplacedFunction& each : plan_.functions)
    if (!each.code.empty()) entries.insert(value(each.code.front().begin));
  return entries;
}

/// Every byte that looks like `call` or `jmp` counts.
bool Planner::calls_replaced(const LinkedSymbol& function) const {
  const auto code = program_.bytes(function.address, function.size);
  if (!code) return true;
  const std::set<std::uint64_t> replaced = replaced_entries();
  constexpr std::size_t length = 5;
  for (std::size_t i = 0; i + length <= code->size(); ++i) {
    if ((*code)[i] != 0xE8 && (*code)[i] != 0xE9) continue;
    std::int32_t distance = 0;
    std::memcpy(&distance, code->data() + i + 1, sizeof distance);
    const std::uint64_t target = function.address + i + length + static_cast<std::uint64_t>(std::int64_t{distance});
    if (target != function.address && replaced.contains(target)) return true;
  }
  return false;
}

/// By a pointer in the program's data, or an instruction that looks like `lea` of it.
bool Planner::is_address_used(const LinkedSymbol& function) const {
  if (function.binding != Binding::local || program_.is_pointed_to(function.address)) return true;
  constexpr std::size_t length = 7;
  for (const CodeRange& range : program_.code()) {
    const auto code = program_.bytes(value(range.begin), range.size());
    if (!code) return true;
    for (std::size_t i = 0; i + length <= code->size(); ++i) {
      const bool is_lea = ((*code)[i] & 0xFB) == 0x48 && (*code)[i + 1] == 0x8D && ((*code)[i + 2] & 0xC7) == 0x05;
      std::int32_t distance = 0;
      if (is_lea) std::memcpy(&distance, code->data() + i + 3, sizeof distance);
      if (is_lea &&
          value(range.begin) + i + length + static_cast<std::uint64_t>(std::int64_t{distance}) == function.address)
        return true;
    }
  }
  return false;
}

/// New functions that are only called are left by all threads before a later edit; others may be called at any time.
void Planner::note_held() {
  std::set<const Function*> held;
  for (const std::size_t section : plan_.sections) {
    if (is_table_of_additions(object_.sections()[section].name)) continue;
    const bool is_code = object_.sections()[section].is_code();
    for (const Relocation& each : object_.sections()[section].relocations) {
      const Target target = target_of(section, each);
      const ObjectSymbol& symbol = object_.symbols()[target.symbol];
      if (symbol.section == 0 || !object_.sections()[symbol.section].is_code()) continue;
      const bool is_table = !is_code && each.type == R_X86_64_PC32;
      const Function* const function = function_with(symbol.section, symbol.value);
      if (function == nullptr || !plan_.sections.contains(symbol.section) || replaced_.contains(function)) continue;
      if (is_of_added_code(function->name)) continue;
      if (is_branch(object_.sections()[section], each) || is_table || target.distance != 0 || &symbol == function->cold)
        continue;
      held.insert(function);
    }
  }
  const std::set<std::uint64_t> replaced = replaced_entries();
  for (const Function* const each : held) plan_.held.push_back(each->name);
  for (const auto& [place, field] : plan_.fields) {
    if (held.empty() || !replaced.contains(field.target)) continue;
    const Function* const user = function_with(place.section, place.offset);
    if (user != nullptr && !replaced_.contains(user)) plan_.is_permanent = true;
  }
  for (const std::size_t each : plan_.variables)
    if (object_.symbols()[each].binding != Binding::local) plan_.held.push_back(shown(object_.symbols()[each]));
}

/// True for a table of labels of a function that gets a new version: the program's leads into the old one.
bool Planner::leads_into_replaced(const ObjectSymbol& data) const {
  const Piece piece{data.section, data.value, data.value + data.size};
  return std::ranges::any_of(object_.relocations_of(piece), [&](const Relocation& each) {
    const Target target = target_of(data.section, each);
    const ObjectSymbol& symbol = object_.symbols()[target.symbol];
    return symbol.section != 0 && object_.sections()[symbol.section].is_code() && target.distance != 0 &&
           plan_.sections.contains(symbol.section);
  });
}

void Planner::bind(std::size_t section, const Relocation& relocation, const LinkedSymbol& linked,
                   const Target& target) {
  if (linked.is_indirect) return refuse_indirect(object_.symbols()[target.symbol]);
  const bool of_thread = linked.kind == SymbolKind::thread_local_data;
  const auto direct = direct_kind_of(relocation.type);
  const auto indirect = indirect_kind_of(relocation.type);
  const FieldKind kind = direct.value_or(indirect.value_or(FieldKind::address));
  const bool is_thread_kind = kind == FieldKind::thread_offset || kind == FieldKind::wide_thread_offset;
  if ((!direct && !indirect) || of_thread != is_thread_kind) {
    refuse(shown(object_.symbols()[target.symbol]) + ": is used by a relocation of type " +
           std::to_string(relocation.type) + ", which moult cannot bind to the program's; compile with -fPIE");
    return;
  }
  const std::int64_t bias = object_.sections()[section].is_code() ? relocation.bias : 0;
  std::uint64_t address = linked.address;
  if (of_thread) address = static_cast<std::uint64_t>(program_.thread_offset_of(linked));
  if (direct)
    plan_.fields[{section, relocation.offset}] = {kind, address, target.distance - bias};
  else
    plan_.fields[{section, relocation.offset}] = {kind, address, relocation.addend, true};
}

/// True for `lea place(%rip), register`. With another opcode it is `mov`, which loads the address from memory.
bool Planner::computes_address(std::size_t section, const Relocation& relocation) const {
  constexpr std::uint64_t before = 3;  // prefix, opcode, operands
  const std::span<const std::uint8_t> bytes = object_.sections()[section].bytes;
  if (!object_.sections()[section].is_code() || relocation.offset < before || relocation.addend != -4) return false;
  const std::uint64_t at = relocation.offset - before;
  return (bytes[at] & 0xFB) == 0x48 && bytes[at + 1] == 0x8D && (bytes[at + 2] & 0xC7) == 0x05;
}

/// The reference stays the linker's: to the update itself, or by name to a library.
void Planner::use_own(std::size_t section, const Relocation& relocation, const ObjectSymbol& symbol) {
  const bool is_sibling = symbol.section == 0 && news_.all.contains(std::string(symbol.name));
  if (is_sibling) plan_.needed.emplace(symbol.name);
  switch (relocation.type) {
    case R_X86_64_64:
    case R_X86_64_PLT32:
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX: return;
    case R_X86_64_PC32:
      if (symbol.section != 0 || is_sibling || symbol.name == "_GLOBAL_OFFSET_TABLE_") return;
      if (computes_address(section, relocation)) {
        plan_.loads.insert({section, relocation.offset});
        return;
      }
      plan_.out_of_reach.emplace(symbol.name);
      refuse(shown(symbol) +
             ": is a library's, and the program does not use it yet; compile with -fPIC, or build the "
             "program again");
      return;
    case R_X86_64_32:
    case R_X86_64_32S:
      refuse(std::string(object_.sections()[section].name) +
             ": is not position-independent, and the update lies elsewhere in the program; build it with -fPIE");
      return;
    default:
      refuse(shown(symbol) + ": is used by a relocation of type " + std::to_string(relocation.type) +
             ", which moult does not know in an update; build the program again");
  }
}

/// One variable is gone, and another one of its size is new: is it the same under another name? Its value depends on
/// it.
void Planner::judge_renamings() {
  for (const ComparedItem& gone : comparison_.items) {
    if (gone.kind != ItemKind::variable || gone.outcome != DiffOutcome::gone) continue;
    const bool is_renamed =
        std::ranges::any_of(choices_.renamed, [&](const auto& choice) { return choice.second == gone.name; });
    if (is_renamed) continue;
    note(gone.name + " is gone from this source; code that is not replaced goes on with it");
    for (const std::size_t each : plan_.variables)
      if (object_.symbols()[each].size == gone.linked->size) refuse_renaming(gone.name, shown(object_.symbols()[each]));
  }
  for (const std::size_t each : plan_.variables) {
    const auto choice = choices_.renamed.find(shown(object_.symbols()[each]));
    if (choice != choices_.renamed.end())
      refuse(choice->first + ": cannot go on with the value of " + choice->second +
             ": there is no such variable that is gone from this source");
  }
}

void Planner::refuse_renaming(const std::string& gone, const std::string& fresh) {
  if (choices_.fresh.contains(fresh)) return;
  std::string choices = "--rename '";
  choices.append(gone).append("=").append(fresh).append("' keeps the value, --new '").append(fresh);
  refuse(gone + " is gone, and " + fresh + " is new and of the same size; say what it is: " + choices +
         "' begins with the initial one");
}

/// Code that runs before main does not run for new variables: the source must have come with a beginning for each.
void Planner::require_beginnings() {
  std::set<std::size_t> begun;
  for (std::size_t i = 1; i < object_.sections().size(); ++i)
    for (const Relocation& each : object_.sections()[i].relocations)
      if (object_.sections()[i].name == beginnings_section) begun.insert(target_of(i, each).symbol);
  for (const std::size_t each : begun) {
    const ObjectSymbol& symbol = object_.symbols()[each];
    if (symbol.section != 0 && symbol.kind == SymbolKind::data && object_.sections()[symbol.section].is_constant())
      refuse(shown(symbol) + ": a new constant that code may initialise before main; write constexpr if none does");
  }
  for (const Function& each : functions_) {
    const bool is_other = each.outcome == DiffOutcome::changed || each.outcome == DiffOutcome::added;
    if (!is_start_code(symbol_of(each).name) || !is_other) continue;
    const Piece& piece = each.function.piece;
    for (const Relocation& relocation : object_.relocations_of(piece)) {
      const std::size_t number = target_of(piece.section, relocation).symbol;
      const ObjectSymbol& symbol = object_.symbols()[number];
      const bool is_data = symbol.kind == SymbolKind::data || symbol.kind == SymbolKind::thread_local_data;
      if (!is_data || symbol.section == 0 || object_.sections()[symbol.section].is_constant()) continue;
      if (programs(symbol) != nullptr || numbered(symbol) != nullptr) {
        if (begun.empty())
          note("what this source does before main has changed; it runs at the start only");
        else if (each.outcome == DiffOutcome::changed)
          note(
              "what this source does before main has changed; new variables are initialised, and the rest runs at the "
              "start only");
      } else if (!begun.contains(number)) {
        refuse(shown(symbol) +
               ": a new variable that code initialises before main; make it a static variable of a function, which is "
               "initialised at its first use");
      }
    }
  }
}

void Planner::note_replaced() {
  const auto programs_code = [&](const Function& function) {
    const LinkedSymbol& linked = *function.linked;
    std::vector<CodeRange> code{{CodeAddress{linked.address}, CodeAddress{linked.address + linked.size}}};
    for (const std::size_t symbol : function.function.symbols)
      for (const std::size_t each : program_.named(std::string(object_.symbols()[symbol].name) + ".cold")) {
        const LinkedSymbol& cold = program_.symbols()[each];
        const bool is_of_it = linked.binding == Binding::weak || comparison_.unit == cold.unit;
        if (is_of_it && code.size() == 1)
          code.push_back({CodeAddress{cold.address}, CodeAddress{cold.address + cold.size}});
      }
    return code;
  };
  for (const Function& each : functions_) {
    const bool is_left_clone =
        each.outcome == DiffOutcome::changed && is_clone(symbol_of(each).name) && each.linked != nullptr;
    if (is_left_clone) plan_.functions.push_back({each.name, programs_code(each), {}});
    if (!replaced_.contains(&each)) continue;
    std::vector<Piece> replacement{each.function.piece};
    if (each.cold != nullptr) replacement.push_back(piece_of(*each.cold));
    plan_.functions.push_back({each.name, programs_code(each), std::move(replacement)});
  }
  note_new_code();
  for (const std::size_t section : plan_.sections)
    for (const std::size_t each : object_.sections()[section].symbols)
      if (object_.symbols()[each].binding == Binding::weak) defined_.emplace(object_.symbols()[each].name);
}

}  // namespace

EditPlan plan_edit(const ObjectFile& object, const LinkedFile& program, const FileComparison& comparison,
                   const EditChoices& choices, const NewNames& news, std::set<std::string, std::less<>>& defined) {
  return Planner(object, program, comparison, choices, news, defined).run();
}

std::set<std::string> new_names_of(const ObjectFile& object, const LinkedFile& program) {
  std::set<std::string> names;
  for (const ObjectSymbol& each : object.symbols()) {
    if (each.section == 0 || each.binding != Binding::global) continue;
    const bool is_known = std::ranges::any_of(program.named(each.name), [&](std::size_t linked) {
      return program.symbols()[linked].binding != Binding::local;
    });
    if (!is_known) names.emplace(each.name);
  }
  return names;
}

}  // namespace moult::internal::diff
