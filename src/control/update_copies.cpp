// Problem: each update runs from a copy of its file. A thousand updates would leave a thousand files in the runtime
// folder, most of them of updates that were only checked, were refused, or were rolled back.
//
// Approach: a copy is needed while code of the update may run: gdb, perf and moult itself read it then. So it stays
// while an update of it is waiting, being carried out or applied (shadowed by a newer one, too), while a redirection or
// code on record leads into it, and if it imports functions that start threads or keep code. Every command that may end
// an update looks through the copies.
//
// Limits: the code stays loaded, about 34 KB in five mappings for a small update. That a pointer somewhere in the
// program leads into it cannot be excluded. Without its file, a module has no names: gdb shows it by addresses.
#include "control/update_copies.hpp"

#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/code_record.hpp"
#include "base/guarded.hpp"
#include "classes/loaded_updates.hpp"
#include "code/patch.hpp"
#include "elf/module_list.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

struct Copy {
  std::string file;
  CodeAddress entry{};
  std::vector<UpdateHandle> submitted;
};

/// Never destroyed: commands may end after the program's static objects.
Guarded<std::vector<Copy>>& copies() {
  static Guarded<std::vector<Copy>>& all = *new Guarded<std::vector<Copy>>;
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
  return module != modules.end() && (is_led_to(module->module.text) || may_have_code_called_later(copy.file));
}

}  // namespace

void note_copy(std::string file, const void* entry, std::vector<UpdateHandle> submitted) {
  copies().with([&](std::vector<Copy>& all) {
    all.push_back({std::move(file), CodeAddress{reinterpret_cast<std::uintptr_t>(entry)}, std::move(submitted)});
  });
}

void delete_unneeded_copies() noexcept try {
  const std::vector<ModulePlace> modules = modules_of_this_process();
  copies().with([&](std::vector<Copy>& all) {
    std::erase_if(all, [&](const Copy& copy) { return !is_needed(copy, modules) && ::unlink(copy.file.c_str()) == 0; });
  });
} catch (const std::bad_alloc&) {  // the next command deletes them
} catch (const Error&) {
}

}  // namespace moult::internal
