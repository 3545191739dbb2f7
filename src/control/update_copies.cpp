// Problem: each update runs from a copy of its file. A thousand updates would leave a thousand files in the runtime
// folder, most of them of updates that were only checked, were refused, or were rolled back.
//
// Approach: a copy is needed while code of the update may run: gdb, perf and moult itself read it then. So it stays
// while an update of it is waiting, being carried out or applied (shadowed by a newer one, too), while a redirection or
// code on record leads into it, and if it imports functions that start threads or keep code. Every command that may end
// an update looks through the copies. It takes the list out of its lock for that: a stop is granted meanwhile, and one
// copy that cannot be judged keeps no other. A thread that comes in between has it look through them once more.
//
// Limits: the code stays loaded, about 34 KB in five mappings for a small update. That a pointer somewhere in the
// program leads into it cannot be excluded. Without its file, a module has no names: gdb shows it by addresses.
#include "control/update_copies.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <list>
#include <optional>
#include <utility>

#include "base/code_record.hpp"
#include "base/guarded.hpp"
#include "classes/loaded_updates.hpp"
#include "code/patch.hpp"
#include "elf/module_list.hpp"

namespace moult::internal {
namespace {

struct Copy {
  std::string file;
  CodeAddress entry{};
  std::vector<UpdateHandle> submitted;
  bool may_be_called_later = false;  ///< by what the file imports
};

struct Copies {
  std::list<Copy> all;
  bool are_taken = false;   ///< a thread looks through those that were there
  bool are_wanted = false;  ///< and is to do so again
};

/// Never destroyed: commands may end after the program's static objects.
Guarded<Copies>& copies() {
  static Guarded<Copies>& all = *new Guarded<Copies>;
  return all;
}

/// True when the update has left nothing.
bool is_spent(const UpdateHandle& update) {
  const UpdateReport report = update.report();
  switch (report.state) {
    case UpdateState::queued: return report.id == 0;  // a dry run
    case UpdateState::active:
    case UpdateState::applied: return false;
    case UpdateState::refused:
    case UpdateState::failed:
    case UpdateState::aborted:
    case UpdateState::rolled_back: return report.changes.empty() || report.state == UpdateState::rolled_back;
  }
  return false;
}

/// Redirections and code on record that lead into `code`.
bool is_led_to(const CodeRange& code) {
  const auto is_inside = [&](CodeAddress address) { return code.contains(address); };
  const std::vector<AppliedChange> changes = applied_changes();
  if (std::ranges::any_of(changes, is_inside, &AppliedChange::replacement)) return true;
  for (const CodeUse use : {CodeUse::called_later, CodeUse::waiting_update})
    for (const void* address : recorded_code(use))
      if (is_inside(CodeAddress{reinterpret_cast<std::uintptr_t>(address)})) return true;
  return false;
}

bool is_needed(const Copy& copy, const std::vector<ModulePlace>& modules) {
  if (!std::ranges::all_of(copy.submitted, is_spent)) return true;
  const auto module =
      std::ranges::find_if(modules, [&](const ModulePlace& place) { return place.module.text.contains(copy.entry); });
  return module != modules.end() && (is_led_to(module->module.text) || copy.may_be_called_later);
}

/// True if it is not there any more. In doubt it stays.
bool delete_unneeded(const Copy& copy, const std::vector<ModulePlace>& modules) noexcept try {
  return !is_needed(copy, modules) && (::unlink(copy.file.c_str()) == 0 || errno == ENOENT);
} catch (const std::exception&) {
  return false;
}

void delete_unneeded(std::list<Copy>& taken) noexcept try {
  const std::vector<ModulePlace> modules = modules_of_this_process();
  taken.remove_if([&](const Copy& copy) { return delete_unneeded(copy, modules); });
} catch (const std::exception&) {  // the next command deletes them
}

/// Nothing while another thread has them.
std::optional<std::list<Copy>> take_copies() noexcept {
  return copies().with([](Copies& copies) -> std::optional<std::list<Copy>> {
    copies.are_wanted = copies.are_taken;
    if (copies.are_taken) return std::nullopt;
    copies.are_taken = true;
    return std::exchange(copies.all, {});
  });
}

/// True if another thread has wanted them meanwhile.
bool give_back(std::list<Copy>& taken) noexcept {
  return copies().with([&](Copies& copies) {
    copies.all.splice(copies.all.end(), taken);
    copies.are_taken = false;
    return copies.are_wanted;
  });
}

bool may_be_called_later(const std::string& file) noexcept try {
  return may_have_code_called_later(file);
} catch (const std::exception&) {
  return true;  // it cannot be read
}

}  // namespace

void note_copy(std::string file, const void* entry, std::vector<UpdateHandle> submitted) {
  const bool may_be_called = may_be_called_later(file);
  std::list<Copy> one;
  one.push_back(
      {std::move(file), CodeAddress{reinterpret_cast<std::uintptr_t>(entry)}, std::move(submitted), may_be_called});
  copies().with([&](Copies& copies) { copies.all.splice(copies.all.end(), one); });
}

void delete_unneeded_copies() noexcept {
  for (std::optional<std::list<Copy>> taken = take_copies(); taken;) {
    delete_unneeded(*taken);
    taken = give_back(*taken) ? take_copies() : std::nullopt;
  }
}

}  // namespace moult::internal
