// Why: updates stay loaded for good, and each was compiled with the classes that it changes. If all of their code
// counted as code that stays, a class could grow once in a process: not again after a failed attempt, and not from a
// second version to a third.
//
// The rule: a function of an update counts among the uses of a class unless no call can reach it.
// - Nothing of an update counts while nothing leads into it. Three things lead into an update. An active or shadowed
//   redirection does; a shadowed one returns when the newer is rolled back. Code on record does (base/code_record.hpp):
//   every call of moult that takes a callable notes the module that hands it over. And so do the C library's ways to
//   have code called later, which moult does not see: they are recognised by what the update imports, whether it has
//   called that or not. A rollback of redirections makes sure that no call of their code is in progress
//   (FunctionChange).
// - In an update that is reached, code that only its conversions run does not count. A converter is on record with its
//   vtable, and with its own memory, which has the transformer's address. An update that has ended is on record with
//   its vtable: no manager calls its steps again. The entry ran once, when the update was loaded. Functions that only
//   these call do not count either. But all of it does count where other code calls it or takes its address. A
//   conversion ends before another of the same objects begins, and is not rolled back while they are of a later class
//   (require_still).
// - A waiting update does not count before something leads into it. Its own prepare compares the classes.
// - Static objects count in every update: they stay where they are.
//
// By name remain: the entry, whose C name loading an update depends on, and the C library's functions.
//
// Limits: code that an update hands over by the program's own means, such as a callback to a function of the program.
#include "classes/loaded_updates.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/code_record.hpp"
#include "code/patch.hpp"
#include "elf/dynamic_linking.hpp"
#include "functions/update_calls.hpp"
#include "symbols/module_symbols.hpp"

namespace moult::internal {
namespace {

constexpr std::string_view entry_name = "moult_update_entry";

/// Functions of the C library that have code called later. Only an update that was built before imports __cxa_atexit.
constexpr std::array<std::string_view, 15> imported{
    "__cxa_atexit", "pthread_create", "thrd_create", "timer_create",       "mq_notify",
    "signal",       "sigaction",      "sigset",      "__sysv_signal",      "__register_atfork",
    "on_exit",      "clone",          "makecontext", "pthread_key_create", "tss_create"};
/// Those of libc_nonshared.a: each module has its own copy, which is no import. Calls of atexit are on record
/// (code/at_exit.cpp).
constexpr std::array<std::string_view, 2> linked_in{"at_quick_exit", "pthread_atfork"};
/// std::thread::_M_start_thread, in the C++ library.
constexpr std::string_view std_thread =
    "_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE";

bool has_code_called_later(const ModuleSymbols& update) {
  const std::vector<std::string> imports = imports_of(update.file());
  if (std::any_of(imports.begin(), imports.end(), [](const std::string& import) {
        return import == std_thread || std::find(imported.begin(), imported.end(), import) != imported.end();
      }))
    return true;
  const auto& functions = update.functions().all();
  return std::any_of(functions.begin(), functions.end(), [](const Symbol& function) {
    return std::find(linked_in.begin(), linked_in.end(), function.name) != linked_in.end();
  });
}

CodeAddress code_at(const void* address) { return CodeAddress{reinterpret_cast<std::uintptr_t>(address)}; }

using Functions = std::set<CodeAddress>;

/// Of the vtables that these addresses are in: the functions from there to the vtable's end.
Functions functions_in_vtables(const ModuleCalls& calls, const std::vector<const void*>& addresses) {
  Functions found;
  for (const void* address : addresses) {
    const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(address);
    auto vtable = calls.objects.upper_bound(begin);
    if (vtable == calls.objects.begin()) continue;
    const std::uintptr_t end = std::prev(vtable)->second;
    for (auto word = calls.data.lower_bound(begin); word != calls.data.end() && word->first < end; ++word)
      found.insert(word->second);
  }
  return found;
}

/// Of these addresses, the functions that no data of the module leads to.
Functions functions_among(const ModuleCalls& calls, const std::vector<const void*>& addresses) {
  Functions found;
  for (const void* address : addresses)
    if (calls.names.contains(code_at(address))) found.insert(code_at(address));
  for (const auto& [place, function] : calls.data) found.erase(function);
  return found;
}

bool are_all_in(const std::map<CodeAddress, Functions>& users, CodeAddress function, const Functions& known) {
  const auto found = users.find(function);
  return found == users.end() || std::includes(known.begin(), known.end(), found->second.begin(), found->second.end());
}

}  // namespace

bool may_have_code_called_later(const std::string& update) {
  return has_code_called_later(ModuleSymbols(ElfFile::open(update)));
}

Functions functions_without_callers(const ModuleCalls& calls, const RecordedCode& recorded, const Functions& kept) {
  Functions seeds = functions_in_vtables(calls, recorded.ended_updates);
  for (CodeAddress step : functions_in_vtables(calls, recorded.waiting_updates)) seeds.erase(step);
  seeds.merge(functions_in_vtables(calls, recorded.converters));
  seeds.merge(functions_among(calls, recorded.transformers));
  for (const auto& [function, name] : calls.names)
    if (name == entry_name) seeds.insert(function);
  for (CodeAddress function : kept) seeds.erase(function);
  // A seed counts after all if other code calls it or takes its address. So does whatever only that seed calls.
  for (;;) {
    Functions without = with_helpers(calls, seeds, kept);
    const auto is_used = [&](CodeAddress function) {
      return !are_all_in(calls.callers, function, without) || !are_all_in(calls.takers, function, without);
    };
    if (std::erase_if(seeds, is_used) == 0) return without;
  }
}

LoadedUpdates::LoadedUpdates(const Program& program) : program_(program) {
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const ModuleSymbols* const symbols = program.symbols_of(i);
    if (symbols == nullptr || !symbols->is_update()) continue;
    all_.insert(i);
    if (has_code_called_later(*symbols)) reached_.insert(i);
  }
  note_code_in_use();
}

void LoadedUpdates::note_code_in_use() {
  const auto note = [this](CodeAddress code) {
    targets_.insert(code);
    if (const std::optional<std::size_t> module = program_.module_at(code)) reached_.insert(*module);
  };
  for (const AppliedChange& change : applied_changes()) note(change.replacement);
  for (const void* address : recorded_code(CodeUse::called_later)) note(code_at(address));
}

void LoadedUpdates::strike_unreachable(ClassUses& uses, const std::size_t* replacement) const {
  std::map<std::size_t, Functions> unreachable;
  for (std::size_t module : all_)
    if (!is_unreachable(module)) unreachable.try_emplace(module, unreachable_in(module));
  const auto is_struck = [&](CodeRange code) {
    const std::optional<std::size_t> module = program_.module_at(code.begin);
    if (!module) return false;
    if ((replacement != nullptr && *module == *replacement) || is_unreachable(*module)) return true;
    const auto found = unreachable.find(*module);
    return found != unreachable.end() && found->second.contains(code.begin);
  };
  std::erase_if(uses.functions, [&](const ClassUse& each) { return is_struck(each.code); });
  std::erase_if(uses.copies, [&](const MemberCopy& each) { return is_struck(each.caller_code); });
}

LoadedUpdates::Functions LoadedUpdates::unreachable_in(std::size_t module) const {
  const std::optional<ModuleCalls> calls = calls_in(program_, module);
  if (!calls) return {};
  return functions_without_callers(*calls,
                                   {.converters = recorded_code(CodeUse::converter),
                                    .transformers = recorded_code(CodeUse::transformer),
                                    .ended_updates = recorded_code(CodeUse::ended_update),
                                    .waiting_updates = recorded_code(CodeUse::waiting_update)},
                                   targets_);
}

}  // namespace moult::internal
