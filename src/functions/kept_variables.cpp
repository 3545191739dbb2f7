// Problem: a compiler that sees a function's body knows to which variables it assigns, and which it reads, with all
// that it calls (g++'s -fipa-modref and -fipa-reference; clang knows it of local variables, and of functions that use
// their arguments alone). A caller keeps a variable's value in a register over the call, or leaves out an assignment
// that the function would not see. A new version that assigns to that variable, or reads it, does so beside the caller.
//
// Approach: the variables that both versions and the callers name are compared: those at a known address, and those
// whose address is taken. A variable that the new version alone assigns to must not be used by a caller in the same
// source file, and one that it alone reads must not be assigned to there. What calls the caller is looked at, too, ten
// deep. A function that calls code of which the compiler knows nothing may do anything, as far as that sees; functions
// of the C library do not touch a program's local variables.
//
// Limits: what is reached through pointers alone, such as the fields of an object, has no name here. Nor has what a
// function does that the new version calls by a pointer.
#include "functions/kept_variables.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/fault.hpp"
#include "functions/mark_advice.hpp"
#include "platform/memory.hpp"
#include "symbols/compilation.hpp"

namespace moult::internal {
namespace {

using Addresses = std::set<std::uintptr_t>;

/// The variables that a function uses, with all that it calls. Addresses are those that its code has.
struct Uses {
  Addresses read;
  Addresses written;
  Addresses taken;
  bool reads_by_pointer = false;
  bool writes_by_pointer = false;
  bool calls_library = false;  ///< C's
  bool calls_anything = false;

  /// The most that it may do.
  Addresses possibly_read() const { return joined(read, reads_by_pointer || calls_library || calls_anything); }
  Addresses possibly_written() const { return joined(written, writes_by_pointer || calls_library || calls_anything); }

 private:
  Addresses joined(Addresses known, bool by_pointer) const {
    if (by_pointer) known.insert(taken.begin(), taken.end());
    return known;
  }
};

class KeptVariables final {
 public:
  KeptVariables(const Program& program, KnownBodies& bodies, Callers& callers)
      : program_(program), bodies_(bodies), callers_(callers) {}

  /// How `fresh` would harm a caller of `old`; nothing if it would not.
  std::optional<std::string> find(const FunctionSymbol& old, const FunctionSymbol& fresh) {
    const std::optional<std::size_t> module = program_.module_at(old.range.begin);
    const Uses known = uses_of(old.range.begin, &KeptVariables::may_be_seen);
    if (!module || known.calls_anything) return std::nullopt;
    const Uses wanted = uses_of(fresh.range.begin, &KeptVariables::is_of_program);
    const auto is_known_to_stay = [&](const Variable& variable) { return variable.is_local || !known.calls_library; };
    for (const Variable& variable : variables_at(*module, wanted.possibly_written(), known.possibly_written()))
      if (const auto user = is_known_to_stay(variable) ? user_of(old, variable, true) : std::nullopt)
        return "does not assign to " + variable.name + ", so that " + program_.describe(*user) +
               " may keep its value over the call (-fipa-modref)";
    for (const Variable& variable : variables_at(*module, wanted.possibly_read(), known.possibly_read()))
      if (const auto user = is_known_to_stay(variable) ? user_of(old, variable, false) : std::nullopt)
        return "does not read " + variable.name + ", so that an assignment in " + program_.describe(*user) +
               " may be left out or come later (-fipa-modref)";
    return std::nullopt;
  }

 private:
  using Follows = bool (KeptVariables::*)(CodeAddress caller, CodeAddress callee) const;

  /// Those of the functions that it calls count where `follows` says so.
  Uses uses_of(CodeAddress entry, Follows follows) {
    constexpr std::size_t most = 1000;  // of the functions to read
    Uses all;
    std::set<CodeAddress> seen{entry};
    std::vector<CodeAddress> open{entry};
    while (!open.empty() && seen.size() < most) {
      const CodeAddress here = open.back();
      open.pop_back();
      const FunctionBody* const body = bodies_.body_at(here);
      if (body == nullptr) all.calls_anything = true;
      if (body == nullptr) continue;
      for (const auto& [at, step] : body->steps()) {
        note(step, all);
        if (!body->leaves(step)) continue;
        const std::optional<CodeAddress> callee = bodies_.callee(*body, step);
        if (callee && (this->*follows)(at, *callee)) {
          if (seen.insert(*callee).second) open.push_back(*callee);
        } else {
          (is_of_c_library(callee) ? all.calls_library : all.calls_anything) = true;
        }
      }
    }
    all.calls_anything |= !open.empty();
    return all;
  }

  /// Whether the compiler may have known the body.
  bool may_be_seen(CodeAddress caller, CodeAddress callee) const {
    const std::optional<std::size_t> module = program_.module_at(callee);
    return module && module == program_.module_at(caller) && may_share_source(program_, caller, callee);
  }

  /// Whether it may use the program's variables by their names.
  bool is_of_program(CodeAddress caller, CodeAddress callee) const {
    const std::optional<std::size_t> module = program_.module_at(callee);
    return module && (module == std::size_t{0} || module == program_.module_at(caller));
  }

  bool is_of_c_library(std::optional<CodeAddress> callee) const {
    const std::optional<std::size_t> module = callee ? program_.module_at(*callee) : std::nullopt;
    return module && program_.is_apart(*module);
  }

  void note(const Step& step, Uses& uses) {
    const bool is_read = step.use.memory_read != MemoryUse::none;
    const bool is_written = step.use.memory_written != MemoryUse::none;
    if (!step.rip_operand) {
      uses.reads_by_pointer |= step.use.memory_read == MemoryUse::elsewhere;
      uses.writes_by_pointer |= step.use.memory_written == MemoryUse::elsewhere;
    } else if (!is_read && !is_written) {
      if (step.is_address()) uses.taken.insert(*step.rip_operand);
    } else if (bodies_.is_constant(*step.rip_operand)) {
      if (const std::optional<std::uintptr_t> address = word_at(*step.rip_operand)) uses.taken.insert(*address);
    } else {
      if (is_read) uses.read.insert(*step.rip_operand);
      if (is_written) uses.written.insert(*step.rip_operand);
    }
  }

  /// What an entry of the global offset table holds.
  static std::optional<std::uintptr_t> word_at(std::uintptr_t place) {
    std::uintptr_t word = 0;
    const bool is_readable = read_memory(place, std::as_writable_bytes(std::span(&word, 1)));
    return is_readable ? std::optional(word) : std::nullopt;
  }

  /// Those of the module at the addresses, but for those at `others`.
  std::vector<Variable> variables_at(std::size_t module, const Addresses& addresses, const Addresses& others) const {
    std::map<std::uintptr_t, Variable> found;
    for (const std::uintptr_t address : addresses)
      if (std::optional<Variable> variable = program_.variable_at(module, address);
          variable && !is_of_language(*variable))
        found.emplace(variable->place.address, std::move(*variable));
    for (const std::uintptr_t address : others)
      std::erase_if(found, [&](const auto& each) { return is_at(each.second, address); });
    std::vector<Variable> variables;
    for (auto& [address, variable] : found) variables.push_back(std::move(variable));
    return variables;
  }

  /// What the standard library and the compiler have there, such as std::cout and type information.
  static bool is_of_language(const Variable& variable) {
    constexpr std::array beginnings = {"std::", "typeinfo ", "vtable ", "VTT ", "guard variable "};
    return std::ranges::any_of(beginnings, [&](const char* each) { return variable.name.starts_with(each); });
  }

  static bool is_at(const Variable& variable, std::uintptr_t address) {
    return address - variable.place.address < variable.place.size;
  }

  /// A call, in code that may have been compiled knowing `old`, by a function that uses the variable itself, or assigns
  /// to it.
  std::optional<CodeAddress> user_of(const FunctionSymbol& old, const Variable& variable, bool reading_counts) {
    constexpr int most_rounds = 10;  // each reads all code
    std::set<CodeAddress> seen{old.range.begin};
    std::vector<CodeAddress> targets{old.range.begin};
    for (int round = 0; round < most_rounds && !targets.empty(); ++round) {
      const std::vector<CodeAddress> now = std::exchange(targets, {});
      if (round > 0) callers_.look_for(now);
      for (const CodeAddress target : now)
        for (const Branch& branch : callers_.of(target)) {
          if (uses_itself(branch, variable, reading_counts)) return branch.at;
          const std::optional<FunctionSymbol> caller = program_.at(branch.at);
          if (!caller || caller->range.size() == 0 || is_marked(program_, *caller)) continue;
          if (seen.insert(caller->range.begin).second) targets.push_back(caller->range.begin);
        }
    }
    return std::nullopt;
  }

  bool uses_itself(const Branch& branch, const Variable& variable, bool reading_counts) {
    const FunctionBody* const body = bodies_.body_around(branch);
    if (body == nullptr) return false;
    Uses uses;
    for (const auto& [at, step] : body->steps()) note(step, uses);
    const auto is_there = [&](std::uintptr_t address) { return is_at(variable, address); };
    return std::ranges::any_of(uses.written, is_there) || (reading_counts && std::ranges::any_of(uses.read, is_there));
  }

  const Program& program_;
  KnownBodies& bodies_;
  Callers& callers_;
};

}  // namespace

void refuse_kept_variables(const Program& program, KnownBodies& bodies, Callers& callers,
                           const std::vector<FunctionSymbol>& olds, const std::vector<FunctionSymbol>& replacements,
                           Refusals& refusals) {
  MOULT_FAULT("functions.prepare.variables");
  KeptVariables kept(program, bodies, callers);
  for (std::size_t i = 0; i < olds.size(); ++i) {
    if (!may_be_known(program, olds[i], "ipa-modref")) continue;
    const std::optional<std::string> harm = kept.find(olds[i], replacements[i]);
    if (!harm) continue;
    refusals.add(ErrorCode::unsupported_code, olds[i].demangled + ": " + *harm + "; " + replacements[i].demangled +
                                                  " does: " + knowledge_advice(program, olds[i]));
  }
}

}  // namespace moult::internal
