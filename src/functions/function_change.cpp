// Problem: a jump at a function's entry redefines it only if every call passes the entry.
//
// Approach: the debug information shows where the compiler inlined the body into callers, and the symbol table shows
// specialised clones that callers call instead. Both refuse the change, unless the caller with the copy is redefined
// too. A library may have a copy of a header's function for itself (-fvisibility-inlines-hidden). Its calls do not
// reach the program's function, so the copy is redefined as well; where it is not known to be a copy, a warning names
// it.
//
// Limit: without debug information copies are invisible; the change is made, and a warning says so.
#include "functions/function_change.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/fault.hpp"
#include "base/untracked_change.hpp"
#include "base/warning.hpp"
#include "code/code_comparison.hpp"
#include "code/own_calls.hpp"
#include "code/patch.hpp"
#include "functions/escaping_exceptions.hpp"
#include "functions/kept_variables.hpp"
#include "functions/known_bodies.hpp"
#include "functions/merged_calls.hpp"
#include "functions/missing_arguments.hpp"
#include "functions/refusals.hpp"
#include "functions/relied_registers.hpp"
#include "functions/self_calls.hpp"
#include "moult/error.hpp"
#include "platform/mappings.hpp"
#include "platform/tasks.hpp"
#include "symbols/compilation.hpp"
#include "symbols/name_query.hpp"
#include "symbols/program.hpp"
#include "symbols/static_variables.hpp"
#include "symbols/type_disagreements.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

CodeAddress address_of(const AnyFunction& function) {
  return CodeAddress{reinterpret_cast<std::uintptr_t>(function.address())};
}

std::vector<CodeAddress> addresses_of(std::span<const FunctionPair> pairs) {
  std::vector<CodeAddress> addresses;
  for (const auto& [old_function, replacement] : pairs) {
    addresses.push_back(address_of(old_function));
    addresses.push_back(address_of(replacement));
  }
  return addresses;
}

/// The function's library is gone, or could not be read.
[[noreturn]] void throw_unknown(const Program& program, CodeAddress address, const std::string& called) {
  for (const Module& module : program.modules())
    if (module.text.contains(address) && !module.problem.empty())
      throw Error(ErrorCode::unreadable, called + ": its symbols are not known: " + module.problem);
  throw Error(ErrorCode::not_found, called + ": there is no function at its address; is its library still loaded?");
}

/// Empty for the program's own functions.
std::string place_of(const Program& program, const FunctionSymbol& function) {
  if (function.module == program.modules().front().path) return {};
  return " in " + function.module.substr(function.module.rfind('/') + 1);
}

}  // namespace

FunctionSymbol symbol_of(const Program& program, const AnyFunction& function, const char* role) {
  std::string called = function.name().empty() ? std::string(role) : function.name();
  std::optional<FunctionSymbol> symbol = program.at(address_of(function));
  if (!symbol) throw_unknown(program, address_of(function), called);
  const bool is_entry = symbol->range.begin == address_of(function);
  if (!is_entry || !symbol->clones.empty()) {
    const std::vector<FunctionSymbol> indirect = program.named(symbol->mangled).indirect;
    if (!indirect.empty()) throw_indirect(indirect.front());
  }
  if (!is_entry)
    throw Error(ErrorCode::not_found, called + ": its address is inside " + symbol->demangled +
                                          ", not at a function's entry; look it up by name instead");
  if (symbol->demangled.empty()) symbol->demangled = called;
  return *symbol;
}

void require_programs_own(const Program& program, const FunctionSymbol& old, const std::string& update) {
  if (old.module != update || !program.is_in_update(old)) return;
  const std::optional<SourceLine> line = program.line_of(old.range.begin);
  const std::string at = line ? " at " + line->file + ":" + std::to_string(line->line) : "";
  const std::string name(qualified_name(old.demangled));
  throw Error(ErrorCode::not_found, old.demangled + ": the old function given is the update's own copy of it" + at +
                                        place_of(program, old) +
                                        ", which the program never calls; moult::function<...>(\"" + name +
                                        "\") finds the program's, or says what became of it; MOULT_UPDATABLE keeps it");
}

namespace {

/// The code of the functions to redefine, sorted.
std::vector<CodeRange> code_of(const std::vector<FunctionSymbol>& functions) {
  std::vector<CodeRange> ranges;
  for (const FunctionSymbol& function : functions) {
    ranges.push_back(function.range);
    ranges.insert(ranges.end(), function.fragments.begin(), function.fragments.end());
  }
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

/// Calls of other functions with the same entry would reach the new version too.
void require_sole_function(const Program& program, const FunctionSymbol& old) {
  const auto list = [](const std::vector<std::string>& all) {
    std::string names;
    for (const std::string& name : all) names += (names.empty() ? "" : ", ") + name;
    return names;
  };
  const std::string next_step = "; build with -fno-ipa-icf, or mark it MOULT_UPDATABLE";
  const Namesakes others = program.namesakes_of(old);
  if (others.is_folded)
    throw Error(ErrorCode::unsupported_code, old.demangled +
                                                 ": the compiler has found another function with the same code "
                                                 "(-fipa-icf), and leads direct calls there" +
                                                 next_step);
  std::vector<std::string> alike;
  for (const Namesakes::Folded& other : others.folded)
    if (is_same_code(old.range, other.code)) alike.push_back(other.name);
  if (!alike.empty())
    throw Error(ErrorCode::unsupported_code, old.demangled + ": direct calls of " + list(alike) +
                                                 " may lead here, since both have the same code (-fipa-icf)" +
                                                 next_step);
  const std::string names = list(others.names);
  if (names.empty()) return;
  if (others.are_functions)
    throw Error(ErrorCode::unsupported_code, old.demangled + ": compiled to the same bytes as " + names +
                                                 ", with which it shares its entry" + next_step +
                                                 ", and link without --icf=all");
  warn(old.demangled + ": " + names + " stands for the same code and is replaced with it; " + old.module +
       " has no debug information, so it is not known whether that is a function of its own");
}

void warn_of_unknown_copies(const Program& program, const FunctionSymbol& old) {
  warn(old.demangled + ": it is not known whether copies of it were inlined: " + program.debug_info_problem(old));
}

/// `pairs`, and the copies that other modules have of the old functions. Warns of code that may be a copy.
std::vector<FunctionPair> with_copies_elsewhere(const Program& program, std::span<const FunctionPair> pairs) {
  std::vector<FunctionPair> all(pairs.begin(), pairs.end());
  std::set<CodeAddress> known;
  std::vector<FunctionSymbol> olds;
  for (const auto& [old_function, replacement] : pairs) {
    known.insert(address_of(old_function));
    known.insert(address_of(replacement));
    olds.push_back(program.at(address_of(old_function)).value_or(FunctionSymbol()));
  }
  const std::vector<CopiesElsewhere> copies = program.copies_elsewhere(olds);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (const FunctionSymbol& copy : copies[i].same)
      if (known.insert(copy.range.begin).second)
        all.emplace_back(AnyFunction(reinterpret_cast<const void*>(value(copy.range.begin)), copy.demangled),
                         pairs[i].second);
    for (const FunctionSymbol& copy : copies[i].namesakes)
      if (known.insert(copy.range.begin).second)
        warn(olds[i].demangled + ": " + copy.module +
             " has a function of that name for itself, which stays as it is; if it is the same function, redefine it "
             "too, or build that library with default visibility");
  }
  return all;
}

/// Throws when it was decided after the debug information was written where `old` is inlined. So g++ does it with
/// link-time optimisation. A copy whose instructions have all melted into the caller's is not in it then.
void require_told_copies(const Program& program, const FunctionSymbol& old) {
  const Compilation compilation = compilation_at(program, old.range.begin);
  const bool is_told = compilation.compiler() != Compilation::Compiler::gcc || !compilation.optimises_links() ||
                       !compilation.optimises() || is_marked(program, old);
  if (!is_told)
    throw Error(ErrorCode::inlined,
                old.demangled +
                    ": was built with link-time optimisation (-flto), where the debug information does not tell of "
                    "every copy in a caller; mark it MOULT_UPDATABLE and build again");
}

/// Throws when calls of `old` may bypass its entry. `redefined` is all code that the change replaces, sorted.
void require_one_entry(const Program& program, const FunctionSymbol& old, const std::vector<CodeRange>& redefined) {
  std::optional<std::vector<InlinedSite>> sites = program.inlined_sites(old);
  bool has_clone = std::any_of(old.clones.begin(), old.clones.end(), [&sites](const std::string& clone) {
    // Callers of a .part hold a copy of the function's head, which the debug information shows like any other.
    return !sites || clone.find("part") == std::string::npos || clone.find("constprop") != std::string::npos ||
           clone.find("isra") != std::string::npos;
  });
  if (has_clone)
    throw Error(ErrorCode::inlined, old.demangled + ": the compiler made " + old.clones.front() +
                                        " of it, which callers call instead; mark it MOULT_UPDATABLE and build again");
  if (!sites) {
    warn_of_unknown_copies(program, old);
    return;
  }
  if (sites->empty() && program.was_inlined(old))
    throw Error(ErrorCode::inlined,
                old.demangled +
                    ": the debug information says that it was inlined, and names no place: its code "
                    "melted into its callers', which keep it; mark it MOULT_UPDATABLE and build again");
  const bool had_copies = !sites->empty();
  std::vector<InlinedSite> elsewhere = program.sites_elsewhere(old);
  std::move(elsewhere.begin(), elsewhere.end(), std::back_inserter(*sites));
  std::erase_if(*sites, [&redefined](const InlinedSite& site) {
    return std::binary_search(redefined.begin(), redefined.end(), site.caller_range);
  });
  if (!sites->empty())
    throw Error(ErrorCode::inlined, old.demangled + ": inlined at " + list_sites(*sites) +
                                        "; mark it MOULT_UPDATABLE or redefine " + sites->front().caller + " too");
  require_told_copies(program, old);
  if (had_copies && !program.debug_info_problem(old).empty()) warn_of_unknown_copies(program, old);
}

/// A static variable of the new version is another one than the old version's of that name.
void warn_of_own_statics(const Program& program, const FunctionSymbol& old, const FunctionSymbol& replacement) {
  const std::vector<NamedVariable> olds =
      static_variables_of(program, *program.module_at(old.range.begin), old.mangled);
  if (olds.empty()) return;
  const std::vector<NamedVariable> own =
      static_variables_of(program, *program.module_at(replacement.range.begin), replacement.mangled);
  if (own.empty()) return;
  const std::vector<MemoryRange> memory = readable_memory();
  const auto is_variable = [&](const NamedVariable& named) {
    return std::any_of(memory.begin(), memory.end(), [&](const MemoryRange& range) {
      return range.is_writable && range.begin <= named.address && named.address < range.end;
    });
  };
  for (const NamedVariable& variable : olds) {
    const bool has_own = std::any_of(own.begin(), own.end(), [&](const NamedVariable& other) {
      return other.name == variable.name && other.address != variable.address;
    });
    if (has_own && is_variable(variable))
      warn(old.demangled + ": the new version has a static variable " + variable.name +
           " of its own, which begins anew; to go on with the old one's value, use moult::variable<...>(\"" +
           std::string(qualified_name(old.demangled)) + "()::" + variable.name + "\") in its place");
  }
}

/// Callers of a function that never returns have no code behind the call.
void require_no_return(const Program& program, const FunctionSymbol& old, const FunctionSymbol& replacement) {
  if (!program.is_noreturn(old) || program.is_noreturn(replacement)) return;
  throw Error(ErrorCode::signature_mismatch,
              old.demangled + ": is [[noreturn]], and " + replacement.demangled +
                  " may return: callers have no code behind the call; declare the new version [[noreturn]], too");
}

/// The new code works on objects that the program's code makes.
void require_same_types(const Program& program, const std::vector<FunctionSymbol>& olds,
                        const std::vector<FunctionSymbol>& replacements, Refusals& refusals) {
  std::vector<std::pair<CodeAddress, CodeAddress>> functions;
  for (std::size_t i = 0; i < olds.size(); ++i)
    functions.emplace_back(olds[i].range.begin, replacements[i].range.begin);
  const auto at = [](const ClassLayout& layout) { return layout.place.file + ":" + std::to_string(layout.place.line); };
  for (const TypeDisagreement& each : type_disagreements(program, functions))
    refusals.add(
        ErrorCode::layout_mismatch,
        each.old.name.text() + ": the update defines it at " + at(each.replacement) + ", and the program at " +
            at(each.old) + ":\n" + describe(each.comparison) +
            "\ncompile the update with the headers and flags of the program, or rename the update's own class");
}

/// Adds the functions that earlier changes redefined as one of `olds`: their callers reach the new version, too.
void add_earlier(const Program& program, std::vector<FunctionSymbol>& olds, std::vector<FunctionSymbol>& replacements) {
  std::multimap<CodeAddress, CodeAddress> functions;  // by their replacements
  for (const AppliedChange& change : applied_changes()) functions.emplace(change.replacement, change.function);
  std::set<CodeAddress> known;
  for (const FunctionSymbol& old : olds) known.insert(old.range.begin);
  for (std::size_t i = 0; i < olds.size(); ++i) {
    const auto [begin, end] = functions.equal_range(olds[i].range.begin);
    for (auto each = begin; each != end; ++each) {
      const std::optional<FunctionSymbol> earlier = program.at(each->second);
      if (!earlier || !known.insert(each->second).second) continue;
      olds.push_back(*earlier);
      const FunctionSymbol replacement = replacements[i];
      replacements.push_back(replacement);
    }
  }
}

/// Callers may have been compiled for what the old versions do, and for nothing else.
void require_nothing_known(const Program& program, std::vector<FunctionSymbol> olds,
                           std::vector<FunctionSymbol> replacements, Refusals& refusals) {
  add_earlier(program, olds, replacements);
  KnownBodies bodies(program);
  Callers callers(program, olds);
  refuse_relied_registers(program, bodies, callers, olds, replacements, refusals);
  refuse_merged_calls(program, bodies, callers, olds, replacements, refusals);
  refuse_kept_variables(program, bodies, callers, olds, replacements, refusals);
  refuse_missing_arguments(program, bodies, callers, olds, replacements, refusals);
}

/// Adds the code of versions that updates made of the function before. Reads symbols if there are any.
void add_earlier_versions(const EditedFunction& function, std::vector<FunctionExtent>& extents) {
  const CodeAddress entry = function.old_code.front().begin;
  if (versions_of(entry).empty() && own_copies_of(entry).empty()) return;
  const AnyFunction old(reinterpret_cast<const void*>(value(entry)), function.name);
  for (FunctionExtent& extent : extents_of_versions(Program::of_this_process(), old))
    extents.push_back(std::move(extent));
}

}  // namespace

struct FunctionChange::State {
  std::vector<FunctionExtent> olds;
  std::vector<AnyFunction> replacements;
  std::vector<FunctionExtent> replacement_code;  ///< as it was when the change was prepared
  std::vector<std::string> lines;
  std::vector<std::string> lines_of_undo;  ///< the same, copied beforehand: the stop only moves them
  std::optional<Patch> patch;

  /// The versions that later updates made of `replacements`, and their code.
  struct Later {
    std::vector<CodeAddress> entries;
    std::vector<FunctionExtent> code;
  } later;

  /// Reads symbols when later updates have come or gone: before the stop, if possible.
  void find_later_code() {
    std::vector<CodeAddress> entries;
    for (const AnyFunction& function : replacements)
      for (const Version& version : versions_of(address_of(function))) entries.push_back(version.function);
    if (entries == later.entries) return;
    later = {std::move(entries), {}};
    for (const AnyFunction& function : replacements) {
      if (versions_of(address_of(function)).empty()) continue;
      for (FunctionExtent& extent : extents_of_versions(Program::of_this_process(), function))
        later.code.push_back(std::move(extent));
    }
  }

  /// Throws Error (still_active) when a call is in progress in code that is about to be unreachable.
  void require_left(const StoppedWorld& stopped) {
    find_later_code();
    require_quiescence(stopped, replacement_code);
    require_quiescence(stopped, later.code);
  }
};

FunctionChange::FunctionChange(FunctionChange&&) noexcept = default;
FunctionChange& FunctionChange::operator=(FunctionChange&&) noexcept = default;
FunctionChange::~FunctionChange() = default;

FunctionChange FunctionChange::prepare(std::span<const FunctionPair> wanted, Copies copies) {
  MOULT_FAULT("functions.prepare.symbols");
  const SharedReading reading;
  const std::vector<FunctionPair> pairs = with_copies_elsewhere(Program::of_this_process(), wanted);
  ModuleHold modules(addresses_of(pairs));  // before their symbols are read
  Program program = Program::of_this_process();
  std::vector<FunctionSymbol> olds;
  std::vector<FunctionSymbol> replacements;
  for (const FunctionPair& pair : pairs) {
    olds.push_back(symbol_of(program, pair.first, "the old function"));
    replacements.push_back(symbol_of(program, pair.second, "the new function"));
  }
  MOULT_FAULT("functions.prepare.copies");
  const std::vector<CodeRange> redefined = code_of(olds);
  Refusals refusals;
  std::vector<PatchTarget> targets;
  require_same_types(program, olds, replacements, refusals);
  refuse_escaping_exceptions(program, olds, replacements, refusals);
  FunctionChange change;
  change.state_ = std::make_shared<State>();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    try {
      require_programs_own(program, olds[i], replacements[i].module);
      require_sole_function(program, olds[i]);
      require_no_return(program, olds[i], replacements[i]);
      warn_of_own_statics(program, olds[i], replacements[i]);
      warn_of_self_call(program, olds[i], replacements[i]);
      if (copies == Copies::refused) require_one_entry(program, olds[i], redefined);
    } catch (const Error& error) {
      refusals.add(error);
    }
    for (FunctionExtent& extent : extents_of_versions(program, pairs[i].first))
      change.state_->olds.push_back(std::move(extent));
    change.state_->replacements.push_back(pairs[i].second);
    change.state_->replacement_code.push_back(extent_of(program, pairs[i].second));
    change.state_->lines.push_back(olds[i].demangled + place_of(program, olds[i]) + " redefined as " +
                                   replacements[i].demangled);
    targets.push_back({olds[i].demangled, olds[i].range, replacements[i].range.begin, olds[i].fragments,
                       change.state_->lines.back()});
  }
  require_nothing_known(program, olds, replacements, refusals);
  refusals.throw_if_any();
  const Transaction* const transaction = Transaction::current();
  const std::uint64_t update = transaction != nullptr ? transaction->update() : 0;
  change.state_->patch = Patch::prepare(targets, {std::move(modules), update});
  change.state_->lines_of_undo = change.state_->lines;
  MOULT_FAULT("functions.prepare.end");
  return change;
}

FunctionChange FunctionChange::prepare_edit(std::span<const EditedFunction> functions) {
  std::vector<CodeAddress> addresses;
  std::vector<PatchTarget> targets;
  FunctionChange change;
  change.state_ = std::make_shared<State>();
  for (const EditedFunction& each : functions) {
    const CodeRange& entry = each.old_code.front();
    addresses.push_back(entry.begin);
    change.state_->olds.push_back({each.name, each.old_code});
    add_earlier_versions(each, change.state_->olds);
    if (each.new_code.empty()) continue;
    addresses.push_back(each.new_code.front().begin);
    change.state_->replacements.emplace_back(reinterpret_cast<const void*>(value(each.new_code.front().begin)),
                                             each.name);
    change.state_->replacement_code.push_back({each.name, each.new_code});
    change.state_->lines.push_back(each.name + " replaced by its edited version");
    targets.push_back({each.name,
                       entry,
                       each.new_code.front().begin,
                       {each.old_code.begin() + 1, each.old_code.end()},
                       change.state_->lines.back()});
  }
  const Transaction* const transaction = Transaction::current();
  const std::uint64_t update = transaction != nullptr ? transaction->update() : 0;
  change.state_->patch = Patch::prepare(targets, {ModuleHold(std::move(addresses)), update});
  change.state_->lines_of_undo = change.state_->lines;
  return change;
}

std::span<const FunctionExtent> FunctionChange::old_functions() const noexcept { return state_->olds; }

std::span<const CodeRange> FunctionChange::keep_out() const noexcept { return state_->patch->keep_out(); }

void FunctionChange::require_clear(const StoppedWorld& stopped) const {
  state_->patch->require_untouched(stopped);
  std::span<const CodeRange> ranges = keep_out();
  stopped.walk_all([ranges](ThreadId thread, const Frame& frame) {
    if (!is_strictly_inside(ranges, frame.pc)) return true;
    throw Error(ErrorCode::still_active,
                describe_thread(thread) + " stands in the first bytes of a function to redefine; try again");
  });
}

void FunctionChange::commit(const StoppedWorld& stopped, Transaction* transaction) {
  state_->patch->require_untouched(stopped);
  if (transaction != nullptr) {
    std::shared_ptr<State> state = state_;
    UndoStep step;
    step.what = std::exchange(state->lines_of_undo, {});
    if (step.what.empty()) step.what = state->lines;  // an earlier commit failed
    step.prepare = [state] { state->find_later_code(); };
    step.check = [state] {
      if (const StoppedWorld* now = internal::current_stop()) {
        state->require_left(*now);
        state->patch->require_untouched(*now);
      }
      // The pages were protected when the program ran again. Opening them may fail, which undo must not.
      Transaction::current()->after_resume([state] { state->patch->finish(); });
      MOULT_FAULT("functions.undo.open_pages");
      state->patch->prepare_revert();
    };
    // `check` or this commit has noted that the pages are closed at the end of the stop: an undo must not allocate.
    step.undo = [state] { state->patch->revert(*internal::current_stop()); };
    transaction->after_resume([state] { state->patch->finish(); });
    MOULT_FAULT("functions.change.record");
    transaction->add(std::move(step));
  }
  state_->patch->commit(stopped);
}

void FunctionChange::prepare_to_supersede() { state_->patch->prepare_revert(); }

void FunctionChange::supersede(const StoppedWorld& stopped, std::size_t redefinition, std::uint64_t by) noexcept {
  state_->patch->supersede(stopped, redefinition, by);
}

FunctionChange::Bypassed::Bypassed(const FunctionChange* change, const StoppedWorld& stopped)
    : state_(change != nullptr ? change->state_ : nullptr), stopped_(stopped) {
  if (state_ == nullptr) return;
  state_->patch->prepare_revert();
  state_->patch->bypass(stopped_, true);
}

FunctionChange::Bypassed::~Bypassed() {
  if (state_ != nullptr) state_->patch->bypass(stopped_, false);
}

void FunctionChange::commit_now() {
  const auto make = [this] {
    in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = keep_out()}, [this](const StoppedWorld& stopped) {
      require_clear(stopped);
      commit(stopped, Transaction::current());
    });
    if (Transaction::current() == nullptr) finish();
  };
  change_untracked(make, [this] { return lines(); });
}

const std::vector<std::string>& FunctionChange::lines() const noexcept { return state_->lines; }

void FunctionChange::finish() noexcept { state_->patch->finish(); }

}  // namespace moult::internal

namespace moult {

void redefine_any_function(const AnyFunction& old_function, const AnyFunction& replacement) {
  internal::FunctionPair pair(old_function, replacement);
  internal::require_short_reading(
      "redefine_function", "call moult::prepare_redefinition in prepare, and make() of its result in apply",
      [&] {
        const internal::Program program = internal::Program::of_this_process();
        const internal::CodeAddress old_code = internal::address_of(old_function);
        const internal::CodeAddress new_code = internal::address_of(replacement);
        const bool is_in_one = program.module_at(old_code) == program.module_at(new_code);
        return program.debug_info_size(old_code) + (is_in_one ? 0 : program.debug_info_size(new_code));
      },
      internal::longest_search);
  internal::FunctionChange::prepare({&pair, 1}).commit_now();
}

}  // namespace moult
