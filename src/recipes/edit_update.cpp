// An update made from edited sources: the functions that the edits change, replaced together.
//
// An edit says what its sources are like from now on. So it stands in for what earlier edits made of the same sources:
// in the same stop, functions that they changed and that are the program's again lead to the program's. When it is
// rolled back, the earlier edits are in effect again.
//
// What such an update needs was found out when it was made (diff/): every function that relies on a changed one is
// among the changed ones, and all addresses are known. So nothing of the program's symbols is read here.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "base/transaction.hpp"
#include "elf/edit_format.hpp"
#include "functions/function_change.hpp"
#include "moult/detail/edit.hpp"
#include "moult/error.hpp"
#include "moult/manager.hpp"
#include "moult/update.hpp"
#include "platform/loaded_modules.hpp"
#include "recipes/quiescent_change.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

/// Only updates call it. Without this, a program that is linked with moult's archives would leave it out.
[[gnu::used]] void (*const for_edits)(const void*) = moult_submit_edit;

/// The memory of a loaded file.
struct LoadedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;

  bool contains(std::uintptr_t address, std::size_t size) const noexcept {
    return begin <= address && address <= end && size <= end - address;
  }
};

[[noreturn]] void fail(const char* why) { throw Error(ErrorCode::not_an_update, std::string("the edit's ") + why); }

LoadedRange module_of(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  LoadedRange found;
  visit_loaded_modules([&](const dl_phdr_info& info) {
    LoadedRange module{~std::uintptr_t{0}, 0};
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      const auto& segment = info.dlpi_phdr[i];
      if (segment.p_type != PT_LOAD) continue;
      module.begin = std::min<std::uintptr_t>(module.begin, info.dlpi_addr + segment.p_vaddr);
      module.end = std::max<std::uintptr_t>(module.end, info.dlpi_addr + segment.p_vaddr + segment.p_memsz);
    }
    const bool is_it = module.begin <= wanted && wanted < module.end;
    if (is_it) found = module;
    return !is_it;
  });
  return found;
}

/// What a number of the tables leads to.
std::uintptr_t led_to(const std::int32_t& distance) {
  return reinterpret_cast<std::uintptr_t>(&distance) + static_cast<std::uintptr_t>(std::intptr_t{distance});
}

std::string text_at(std::uintptr_t address, const LoadedRange& module) {
  if (!module.contains(address, 1)) fail("names lie outside of its file");
  const auto* const text = reinterpret_cast<const char*>(address);
  return {text, ::strnlen(text, module.end - address)};
}

void add(const FunctionEntry& entry, const LoadedRange& module, std::uintptr_t bias,
         std::vector<EditedFunction>& functions) {
  if (entry.part != FunctionPart::more)
    functions.push_back({text_at(led_to(entry.name), module), {}, {}, text_at(led_to(entry.source), module)});
  if (functions.empty()) fail("table of functions begins in the middle of one");
  EditedFunction& function = functions.back();
  if (entry.size > 0) {
    const CodeAddress begin{entry.begin + bias};
    function.old_code.push_back({begin, begin + entry.size});
  }
  if (entry.code_size > 0) {
    const CodeAddress begin{led_to(entry.code)};
    if (!module.contains(value(begin), entry.code_size)) fail("code lies outside of its file");
    function.new_code.push_back({begin, begin + entry.code_size});
  }
  const bool has_new_code = !function.new_code.empty();
  if (function.old_code.empty() || has_new_code == (entry.part == FunctionPart::left))
    fail("table of functions contradicts itself");
}

std::vector<EditedFunction> functions_of(const EditHeader& header, const LoadedRange& module) {
  const std::uintptr_t begin = led_to(header.functions);
  const std::uintptr_t end = led_to(header.functions_end);
  if (end < begin || !module.contains(begin, end - begin) || begin % alignof(FunctionEntry) != 0 ||
      (end - begin) % sizeof(FunctionEntry) != 0)
    fail("table of functions lies outside of its file");
  const auto* const entries = reinterpret_cast<const FunctionEntry*>(begin);
  const std::uintptr_t bias = bias_of_program();
  std::vector<EditedFunction> functions;
  for (std::size_t i = 0; i < (end - begin) / sizeof(FunctionEntry); ++i) add(entries[i], module, bias, functions);
  return functions;
}

std::vector<std::string> texts_between(std::uintptr_t begin, std::uintptr_t end, const LoadedRange& module) {
  if (end < begin || !module.contains(begin, end - begin)) fail("lists lie outside of its file");
  std::vector<std::string> texts;
  for (std::uintptr_t at = begin; at < end; at += texts.back().size() + 1) texts.push_back(text_at(at, module));
  return texts;
}

std::map<std::string, std::string> pairs_of(const std::vector<std::string>& texts) {
  if (texts.size() % 2 != 0) fail("list of what is new is cut short");
  std::map<std::string, std::string> pairs;
  for (std::size_t i = 0; i < texts.size(); i += 2) pairs.emplace(texts[i], texts[i + 1]);
  return pairs;
}

/// What one edit brings.
struct Edit {
  std::string name;
  std::vector<std::string> sources;  ///< that were compared: they are now as this edit has them
  std::vector<EditedFunction> functions;
  std::vector<std::string> held;            ///< new functions and variables that the program may hold
  std::map<std::string, std::string> news;  ///< new classes and variables, with their make-up
  bool is_permanent = false;                ///< what the program may hold calls functions that are replaced

  bool covers(const std::string& source) const { return std::ranges::find(sources, source) != sources.end(); }
};

/// An edit that is applied and not rolled back.
struct AppliedEdit {
  std::uint64_t update = 0;
  Edit edit;
  QuiescentChange change;

  /// Calls `visit(number, function)` for each function with a new version, and its number among those.
  template <class Visit>
  void visit_redefinitions(Visit&& visit) const {
    std::size_t number = 0;
    for (const EditedFunction& each : edit.functions)
      if (!each.new_code.empty()) visit(number++, each);
  }
};
using AppliedEdits = std::vector<std::shared_ptr<AppliedEdit>>;

/// In the order in which they were applied. Changed in a stop alone, or under the lock.
Guarded<AppliedEdits>& applied_edits() {
  static Guarded<AppliedEdits>& only = *new Guarded<AppliedEdits>();
  return only;
}

/// A redefinition of an earlier edit, and the update that stands in for it; 0: none.
struct Standing {
  std::shared_ptr<AppliedEdit> edit;
  std::size_t redefinition = 0;
  const EditedFunction* function = nullptr;
  std::uint64_t superseded_by = 0;
};

/// The redefinitions of `edits`, and who stands in for each: the newest edit that covers its source.
std::vector<Standing> standings_of(const AppliedEdits& edits) {
  std::vector<Standing> all;
  for (auto each = edits.begin(); each != edits.end(); ++each) {
    (*each)->visit_redefinitions([&](std::size_t number, const EditedFunction& function) {
      Standing standing{*each, number, &function, 0};
      for (auto later = std::next(each); later != edits.end(); ++later)
        if ((*later)->edit.covers(function.source)) standing.superseded_by = (*later)->update;
      all.push_back(std::move(standing));
    });
  }
  return all;
}

std::vector<Standing> standings_without(const std::shared_ptr<AppliedEdit>& left_out) {
  AppliedEdits edits = applied_edits().with([](const AppliedEdits& all) { return all; });
  std::erase(edits, left_out);
  return standings_of(edits);
}

std::vector<Standing> standings_with(const std::shared_ptr<AppliedEdit>& newest) {
  AppliedEdits edits = applied_edits().with([](const AppliedEdits& all) { return all; });
  edits.push_back(newest);
  std::vector<Standing> all = standings_of(edits);
  std::erase_if(all, [&](const Standing& each) { return each.edit == newest; });
  return all;
}

/// What earlier edits have brought into the program, that stays there whatever becomes of them: by what it is.
Guarded<std::map<std::string, std::string>>& brought() {
  static Guarded<std::map<std::string, std::string>>& only = *new Guarded<std::map<std::string, std::string>>();
  return only;
}

/// Throws when an earlier edit brought something that this one has otherwise, or that the program may hold.
void require_replaceable(const Edit& edit) {
  const AppliedEdits earlier = applied_edits().with([](const AppliedEdits& all) { return all; });
  for (const std::shared_ptr<AppliedEdit>& each : earlier) {
    const bool is_of_same_source =
        std::ranges::any_of(each->edit.sources, [&](const std::string& source) { return edit.covers(source); });
    if (is_of_same_source && !each->edit.held.empty())
      throw Error(ErrorCode::unsupported,
                  edit.name + ": \"" + each->edit.name + "\" brought " + each->edit.held.front() +
                      ", whose address the program may hold, so a later version cannot take its place; roll that edit "
                      "back, or build the program again");
  }
  brought().with([&](const std::map<std::string, std::string>& known) {
    for (const auto& [what, make_up] : edit.news) {
      const auto found = known.find(what);
      if (found == known.end() || found->second == make_up) continue;
      std::string text = edit.name + ": an earlier edit brought the ";
      text.append(what).append(" as ").append(found->second).append(", and it is ").append(make_up);
      throw Error(ErrorCode::layout_mismatch, text + " now; give it another name, or build the program again");
    }
  });
}

/// Opens the pages of all that `standings` change.
void prepare_standings(const std::vector<Standing>& standings) {
  std::set<AppliedEdit*> opened;
  for (const Standing& each : standings) {
    if (!opened.insert(each.edit.get()).second) continue;
    Transaction::current()->after_resume([edit = each.edit] { edit->change.change().finish(); });
    each.edit->change.change().prepare_to_supersede();
  }
}

void set_standings(const std::vector<Standing>& standings, const StoppedWorld& stopped) noexcept {
  for (const Standing& each : standings)
    each.edit->change.change().supersede(stopped, each.redefinition, each.superseded_by);
}

/// The code of the earlier versions that `newest` takes out of effect.
std::vector<FunctionExtent> code_to_leave(const std::vector<Standing>& standings,
                                          const std::shared_ptr<AppliedEdit>& newest) {
  std::vector<FunctionExtent> extents;
  for (const Standing& each : standings)
    if (newest->edit.covers(each.function->source)) extents.push_back({each.function->name, each.function->new_code});
  return extents;
}

/// The changes of earlier edits that `newest` takes back because its sources no longer have them.
std::vector<std::string> lines_of_edits_taken_back(const std::vector<Standing>& standings,
                                                   const std::shared_ptr<AppliedEdit>& newest) {
  std::vector<std::string> lines;
  for (const Standing& each : standings) {
    const bool is_replaced = std::ranges::any_of(newest->edit.functions, [&](const EditedFunction& function) {
      return function.old_code.front() == each.function->old_code.front();
    });
    std::string line = each.function->name + " is the program's own again";
    if (newest->edit.covers(each.function->source) && !is_replaced && std::ranges::find(lines, line) == lines.end())
      lines.push_back(std::move(line));
  }
  return lines;
}

class EditUpdate final : public Update {
 public:
  explicit EditUpdate(Edit edit) : Update(edit.name), applied_(std::make_shared<AppliedEdit>()) {
    applied_->edit = std::move(edit);
  }

  void prepare() override {
    require_replaceable(applied_->edit);
    applied_->change.prepare(FunctionChange::prepare_edit(applied_->edit.functions), threads(),
                             code_to_leave(standings_with(applied_), applied_));
    MOULT_FAULT("recipes.edit.prepared");
  }
  bool wait_alterability() override { return applied_->change.wait(patience(), threads()); }
  bool check_alterability() override { return applied_->change.check(patience(), threads()); }
  void apply() override;

 private:
  UndoStep undo_step() const;

  std::shared_ptr<AppliedEdit> applied_;
};

/// The sources are as this edit has them: what earlier edits changed in them is out of effect. Another edit may have
/// been applied since prepare.
void EditUpdate::apply() {
  MOULT_FAULT("recipes.edit.apply");
  applied_->update = Transaction::current()->update();
  const std::vector<Standing> standings = standings_with(applied_);
  if (const StoppedWorld* const stopped = current_stop())
    require_quiescence(*stopped, code_to_leave(standings, applied_));
  prepare_standings(standings);
  applied_edits().with([](AppliedEdits& all) { all.reserve(all.size() + 1); });
  brought().with([&](auto& known) { known.insert(applied_->edit.news.begin(), applied_->edit.news.end()); });
  UndoStep step = undo_step();
  step.what = lines_of_edits_taken_back(standings, applied_);
  Transaction::current()->add(std::move(step));
  MOULT_FAULT("recipes.edit.recorded");
  applied_->change.apply(name(), threads());
  set_standings(standings, *current_stop());
  applied_edits().with([&](AppliedEdits& all) { all.push_back(applied_); });
  MOULT_FAULT("recipes.edit.applied");
}

/// The undo of the functions' own change runs before. Earlier edits that are in effect again then expect of the old
/// code what they did when they were applied: that no call of it is in progress.
UndoStep EditUpdate::undo_step() const {
  UndoStep step;
  const auto is_applied = [applied = applied_] {
    return applied_edits().with([&](const AppliedEdits& all) { return std::ranges::find(all, applied) != all.end(); });
  };
  step.check = [applied = applied_, is_applied] {
    if (!is_applied()) return;
    if (applied->edit.is_permanent)
      throw Error(
          ErrorCode::unsupported,
          applied->edit.name + ": brought " + applied->edit.held.front() +
              ", which the program may hold and which calls functions that this edit replaced; it stays applied");
    const std::vector<Standing> standings = standings_without(applied);
    std::vector<FunctionExtent> again;
    for (const Standing& each : standings)
      if (each.superseded_by == 0 && applied->edit.covers(each.function->source))
        again.push_back({each.function->name, each.function->old_code});
    if (const StoppedWorld* const stopped = current_stop()) require_quiescence(*stopped, again);
    prepare_standings(standings);
  };
  step.undo = [applied = applied_, is_applied] {
    if (!is_applied()) return;
    set_standings(standings_without(applied), *current_stop());
    applied_edits().with([&](AppliedEdits& all) { std::erase(all, applied); });
  };
  return step;
}

void submit_edit(const void* header) {
  const LoadedRange module = module_of(header);
  if (!module.contains(reinterpret_cast<std::uintptr_t>(header), sizeof(EditHeader))) fail("header is in no file");
  const auto& edit = *static_cast<const EditHeader*>(header);
  if (edit.version != edit_version) fail("tables are of another version of moult; build it again");
  threaded_manager("edits").add_update(std::make_unique<EditUpdate>(
      Edit{text_at(led_to(edit.name), module), texts_between(led_to(edit.sources), led_to(edit.sources_end), module),
           functions_of(edit, module), texts_between(led_to(edit.held), led_to(edit.held_end), module),
           pairs_of(texts_between(led_to(edit.news), led_to(edit.news_end), module)), edit.is_permanent != 0}));
}

}  // namespace
}  // namespace moult::internal

void moult_submit_edit(const void* header) { moult::internal::submit_edit(header); }
