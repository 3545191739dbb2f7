// An update made from edited sources: the functions that the edits change, replaced together.
//
// An edit says what its sources are like from now on. So it stands in for what earlier edits made of the same sources:
// in the same stop, functions that they changed and that are the program's again lead to the program's. When it is
// rolled back, the earlier edits are in effect again.
//
// What such an update needs was found out when it was made (diff/): every function that relies on a changed one is
// among the changed ones, and all addresses are known. So nothing of the program's symbols is read here.
#include <algorithm>
#include <cstddef>
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
#include "functions/function_change.hpp"
#include "moult/detail/edit.hpp"
#include "moult/error.hpp"
#include "moult/manager.hpp"
#include "moult/update.hpp"
#include "recipes/edit_origins.hpp"
#include "recipes/edit_reading.hpp"
#include "recipes/edited_classes.hpp"
#include "recipes/new_variables.hpp"
#include "recipes/quiescent_change.hpp"
#include "recipes/reset_variables.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

/// Only updates call it. Without this, a program that is linked with moult's archives would leave it out.
[[gnu::used]] void (*const for_edits)(const void*) = moult_submit_edit;

/// An edit that is applied and not rolled back.
struct AppliedEdit {
  std::uint64_t update = 0;
  Edit edit;
  QuiescentChange change;
  EditedClasses classes;

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

bool is_of(const EditedClassList& classes, const EditedClass& wanted) {
  return std::ranges::any_of(classes, [&](const EditedClass* each) { return *each->type == *wanted.type; });
}

EditOfClasses classes_of(const Edit& edit, std::uint64_t update) {
  return {edit.name, update, edit.build_id, edit.classes, edit.base};
}

/// What the edit does to classes, on top of the edits before it.
EditedClasses prepare_classes(const Edit& edit) {
  EditedClassList returned;
  std::vector<EditOfClasses> earlier;
  for (const std::shared_ptr<AppliedEdit>& each : applied_edits().with([](const AppliedEdits& all) { return all; })) {
    const auto is_covered = [&](const std::string& source) { return edit.covers(source); };
    const bool is_of_same_source = std::ranges::any_of(each->edit.sources, is_covered);
    earlier.push_back(classes_of(each->edit, each->update));
    for (const EditedClass* const changed : each->edit.classes) {
      if (!is_of_same_source || is_of(edit.classes, *changed)) continue;
      const auto missing = std::ranges::find_if_not(each->edit.sources, is_covered);
      if (missing != each->edit.sources.end())
        throw Error(ErrorCode::unsupported, edit.name + ": an earlier edit gave " + changed->name +
                                                " another layout, which " + *missing +
                                                " relies on; build the edit with that source, too (--source)");
      returned.push_back(changed);
    }
  }
  return EditedClasses::prepare(classes_of(edit, 0), returned, earlier);
}

/// Throws when later edits rely on the layout of objects that this one brought.
void require_last_of_its_classes(const std::shared_ptr<AppliedEdit>& edit) {
  const AppliedEdits edits = applied_edits().with([](const AppliedEdits& all) { return all; });
  for (auto each = std::next(std::ranges::find(edits, edit)); each != edits.end(); ++each)
    for (const EditedClass* const changed : edit->edit.classes)
      if (is_of((*each)->edit.classes, *changed) ||
          std::ranges::any_of(edit->edit.sources, [&](const auto& source) { return (*each)->edit.covers(source); }))
        throw Error(ErrorCode::unsupported, edit->edit.name + ": \"" + (*each)->edit.name +
                                                "\" relies on the layout of " + changed->name +
                                                " that it brought; roll that edit back first");
}

/// The variables that `edit` resets, but for those that already began with this value in an earlier edit: they keep
/// what they have come to since.
std::vector<const ResetVariable*> due_resets(const Edit& edit) {
  const AppliedEdits earlier = applied_edits().with([](const AppliedEdits& all) { return all; });
  std::map<std::byte*, const ResetVariable*> newest;
  for (const std::shared_ptr<AppliedEdit>& each : earlier)
    for (const ResetVariable& reset : each->edit.resets) newest[reset.place] = &reset;
  std::vector<const ResetVariable*> due;
  for (const ResetVariable& each : edit.resets) {
    const auto found = newest.find(each.place);
    if (found == newest.end() || found->second->value != each.value) due.push_back(&each);
  }
  return due;
}

/// Throws when a later edit has reset a variable that this one has: the values would be put back in the wrong order.
void require_last_of_its_resets(const std::shared_ptr<AppliedEdit>& edit) {
  const AppliedEdits edits = applied_edits().with([](const AppliedEdits& all) { return all; });
  for (auto later = std::next(std::ranges::find(edits, edit)); later != edits.end(); ++later)
    for (const ResetVariable& each : edit->edit.resets)
      if (std::ranges::any_of((*later)->edit.resets,
                              [&](const ResetVariable& other) { return other.place == each.place; }))
        throw Error(ErrorCode::unsupported, edit->edit.name + ": update " + std::to_string((*later)->update) + " (\"" +
                                                (*later)->edit.name + "\") has reset " + each.name +
                                                ", too; roll that one back first");
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
    applied_->classes = prepare_classes(applied_->edit);
    applied_->change.prepare(FunctionChange::prepare_edit(applied_->edit.functions), threads(),
                             code_to_leave(standings_with(applied_), applied_), applied_->classes.names());
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
  const std::vector<const ResetVariable*> resets = due_resets(applied_->edit);
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
  MOULT_FAULT("recipes.edit.functions");
  reset_variables(*current_stop(), resets, *Transaction::current());
  MOULT_FAULT("recipes.edit.variables");
  applied_->classes.commit(*current_stop(), *Transaction::current());
  begin_variables(applied_->edit.beginnings, name());
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
    require_last_of_its_classes(applied);
    require_last_of_its_resets(applied);
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
  Edit edit = read_edit(header);
  EditOrigin origin = std::exchange(edit.origin, {});
  const UpdateHandle update = threaded_manager("edits").add_update(std::make_unique<EditUpdate>(std::move(edit)));
  if (origin.patch || origin.tree) note_origin(update.id(), std::move(origin));
}

}  // namespace
}  // namespace moult::internal

void moult_submit_edit(const void* header) { moult::internal::submit_edit(header); }
