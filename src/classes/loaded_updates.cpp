// Why: updates stay loaded for good, and each was compiled with the classes it is about. Were all of their code to
// count as code that stays, a class could be made to grow once in a process: not again after a try that failed, nor
// from a second version to a third.
//
// The rule. A function of an update counts among the uses of a class unless nothing can come to it any more:
// - None of it counts where nothing leads into the update. What leads into one is a redirection that is in force, also
//   one that a newer covers, since that may be rolled back; or code that it has handed over otherwise. The latter is
//   told by what the update uses of others, used or not: whoever starts threads, installs handlers, or gives moult
//   methods, fields, visitors, pointers or main functions counts as one that is in force. Where its redirections are
//   taken back no call of it is in progress (FunctionChange).
// - Of an update that is reached, what only its conversions run does not count (conversion_code.hpp): moult's
// templates,
//   the transformers, and the entry, which ran when it was loaded. A conversion is over before another of the same
//   objects begins, and is not taken back while they are of a later class (require_still). Everything else
//   counts.
// - An update that still waits is asked in its own prepare, which comes after whatever has changed by then.
// - Static objects count in every update: their destructors run at the end of the process.
//
// Limits: what an update hands over by the program's own means, as a callback to a function of the program.
#include "classes/loaded_updates.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "code/patch.hpp"
#include "elf/imports.hpp"
#include "functions/update_calls.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

/// Whether one of that name has code of its caller called later, by other ways than a redirection.
bool keeps_code(std::string_view import) {
  constexpr std::array<std::string_view, 11> c_names{"pthread_create", "thrd_create",    "timer_create", "mq_notify",
                                                     "signal",         "sigaction",      "atexit",       "on_exit",
                                                     "clone",          "pthread_atfork", "at_quick_exit"};
  constexpr std::array<std::string_view, 11> parts{
      "_M_start_thread", "moult6Thread", "10ThreadBody",  "11switch_main",      "15reboot_function",   "10add_method",
      "9add_field",      "9add_mixin",   "11AccessVisit", "16redirect_pointer", "18ProgressiveObjects"};
  return std::find(c_names.begin(), c_names.end(), import) != c_names.end() ||
         std::any_of(parts.begin(), parts.end(),
                     [import](std::string_view part) { return import.find(part) != std::string_view::npos; });
}

bool hands_code_over(const ModuleSymbols& update) {
  const std::vector<std::string> imports = imports_of(update.file());
  return std::any_of(imports.begin(), imports.end(), keeps_code);
}

}  // namespace

SentUpdates::SentUpdates(const Program& program) : program_(program) {
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* const symbols = program.symbols_of(i);
    if (symbols == nullptr || !symbols->is_update()) continue;
    all_.insert(i);
    if (hands_code_over(*symbols)) reached_.insert(i);
  }
  for (const Standing& change : standing_changes()) {
    targets_.insert(change.fresh);
    if (const std::optional<std::size_t> module = program.module_at(change.fresh)) reached_.insert(*module);
  }
}

void SentUpdates::strike_spent(ClassUses& uses, const std::size_t* fresh) const {
  std::map<std::size_t, Functions> spent;
  for (std::size_t module : all_)
    if (!is_left(module)) spent.try_emplace(module, spent_in(module, uses));
  const auto is_spent = [&](CodeRange code) {
    const std::optional<std::size_t> module = program_.module_at(code.begin);
    if (!module) return false;
    if ((fresh != nullptr && *module == *fresh) || is_left(*module)) return true;
    const auto found = spent.find(*module);
    return found != spent.end() && found->second.contains(code.begin);
  };
  std::erase_if(uses.functions, [&](const ClassUse& each) { return is_spent(each.code); });
  std::erase_if(uses.copies, [&](const MemberCopy& each) { return is_spent(each.caller_code); });
}

SentUpdates::Functions SentUpdates::spent_in(std::size_t module, const ClassUses& uses) const {
  const std::optional<ModuleCalls> calls = calls_in(program_, module);
  if (!calls) return {};
  std::vector<std::string> names;
  for (const auto& [entry, name] : calls->names) names.push_back(name);
  const ConversionCode conversion(names);
  Functions spent;
  for (const auto& [entry, name] : calls->names)
    if (conversion.has({name, {}, {}})) spent.insert(entry);
  for (const ClassUse& use : uses.functions)  // a transformer mentions its classes
    if (calls->names.contains(use.code.begin) && conversion.has(named(use.function, use.code.begin)))
      spent.insert(use.code.begin);
  for (CodeAddress target : targets_) spent.erase(target);
  return with_helpers(*calls, std::move(spent), targets_);
}

NamedFunction SentUpdates::named(const std::string& demangled, CodeAddress entry) const {
  const std::optional<FunctionSymbol> function = program_.at(entry);
  if (!function) return {demangled, {}, {}};
  return {demangled, program_.result_type(*function).value_or(""), program_.parameter_types(*function).value_or("")};
}

}  // namespace moult::internal
