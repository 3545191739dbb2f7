#include "recipes/edited_classes.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "base/guarded.hpp"
#include "moult/error.hpp"
#include "pools/object_class.hpp"
#include "symbols/class_uses.hpp"
#include "symbols/module_symbols.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

/// The objects' present layouts, where edits have changed them. Written in stops alone, or under the lock.
Guarded<std::map<const ObjectClass*, const char*>>& layouts() {
  static auto& only = *new Guarded<std::map<const ObjectClass*, const char*>>();
  return only;
}

Guarded<std::set<const void*>>& edit_modules() {
  static auto& only = *new Guarded<std::set<const void*>>();
  return only;
}

const char* layout_of(const ObjectClass& of_class, const EditedClass& edited) {
  return layouts().with([&](const auto& all) {
    const auto found = all.find(&of_class);
    return found == all.end() ? edited.program_layout : found->second;
  });
}

bool is_same(const char* a, const char* b) noexcept { return std::strcmp(a, b) == 0; }

/// What leads from one layout to another: one step of the edit itself, or steps back of the edits before it. Never
/// both: what earlier edits added to the objects would be lost.
struct Step {
  const EditedClass* edited = nullptr;
  EditedConverter::Direction direction = EditedConverter::Direction::forward;
  const char* after = nullptr;
};

std::vector<Step> steps_between(const char* from, const char* to, const EditedClass& wanted,
                                const EditedClassList& earlier) {
  if (is_same(wanted.old_layout, from) && is_same(wanted.layout, to))
    return {{&wanted, EditedConverter::Direction::forward, wanted.layout}};
  std::vector<Step> steps;
  for (auto each = earlier.rbegin(); each != earlier.rend(); ++each) {
    const EditedClass& edited = **each;
    if (*edited.type != *wanted.type || !is_same(edited.layout, from) || edited.no_way_back != nullptr) continue;
    if (is_same(edited.old_layout, edited.layout)) continue;
    steps.push_back({&edited, EditedConverter::Direction::backward, edited.old_layout});
    from = edited.old_layout;
    if (is_same(from, to)) return steps;
  }
  return {};
}

/// Another module was compiled with the class as it was, and the edit does not reach its code.
void require_no_other_users(const std::string& edit, const ObjectClass& of_class, const Program& program) {
  std::set<std::size_t> known{0};
  edit_modules().with([&](const std::set<const void*>& all) {
    for (const void* const each : all)
      if (const auto module = program.module_at(CodeAddress{reinterpret_cast<std::uintptr_t>(each)}))
        known.insert(*module);
  });
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    if (known.contains(i) || program.is_apart(i) || !program.may_know(i, of_class.name)) continue;
    const std::string& path = program.modules()[i].path;
    if (const ModuleSymbols* const symbols = program.symbols_of(i);
        symbols != nullptr && !uses_class(*symbols, path, of_class.name))
      continue;
    std::string why = edit;
    why.append(": ").append(of_class.name.text()).append(" has another layout, and ").append(path);
    throw Error(ErrorCode::unsupported,
                why + " was compiled with the class as it was; build the program and that file again");
  }
}

}  // namespace

EditedClasses EditedClasses::prepare(const std::string& name, const EditedClassList& wanted,
                                     const EditedClassList& returned, const EditedClassList& earlier) {
  EditedClasses classes;
  if (wanted.empty() && returned.empty()) return classes;
  const SharedReading reading;
  const Program program = Program::of_this_process();
  std::set<const ObjectClass*> seen;
  const auto add = [&](const EditedClass& edited, const char* to) {
    const ObjectClass& of_class = object_class_of(*edited.type);
    const char* const from = layout_of(of_class, edited);
    if (!seen.insert(&of_class).second || is_same(from, to)) return;
    const std::vector<Step> steps = steps_between(from, to, edited, earlier);
    if (steps.empty())
      throw Error(ErrorCode::layout_mismatch,
                  name + ": an earlier edit gave the objects of " + of_class.name.text() +
                      " a layout that this one was not built to go on from; roll that edit back first (what it added "
                      "to the objects is lost then), or build this one with --after");
    require_no_other_users(name, of_class, program);
    for (const char* before = from; const Step& each : steps) {
      classes.changes_.push_back({&of_class, &object_class_of(*edited.pool), before, each.after,
                                  ObjectChange::prepare_edit(*each.edited, each.direction)});
      before = each.after;
    }
  };
  for (const EditedClass* const each : wanted) add(*each, each->layout);
  for (const EditedClass* const each : returned) add(*each, each->program_layout);
  return classes;
}

std::vector<ClassName> EditedClasses::names() const {
  std::vector<ClassName> names;
  for (const Change& each : changes_) names.push_back(each.pools->name);
  return names;
}

void EditedClasses::commit(const StoppedWorld& stopped, Transaction& transaction) {
  for (Change& each : changes_) {
    const auto set = [of_class = each.object_class](const char* layout) {
      layouts().with([&](auto& all) { all.at(of_class) = layout; });
    };
    const bool is_as_prepared = layouts().with(
        [&](auto& all) { return is_same(all.try_emplace(each.object_class, each.before).first->second, each.before); });
    if (!is_as_prepared)
      throw Error(
          ErrorCode::still_active,
          each.object_class->name.text() + ": another edit has changed its objects meanwhile; apply this one again");
    transaction.add({.what = {}, .prepare = {}, .check = {}, .undo = [set, before = each.before] { set(before); }});
    each.objects.commit(stopped, &transaction);
    set(each.after);
  }
}

void note_edit_module(const void* inside) {
  edit_modules().with([&](std::set<const void*>& all) { all.insert(inside); });
}

}  // namespace moult::internal
