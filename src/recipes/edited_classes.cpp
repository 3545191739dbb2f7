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

/// What leads from one layout to another.
struct Step {
  const EditedClass* edited = nullptr;
  EditedConverter::Direction direction = EditedConverter::Direction::forward;
  const char* after = nullptr;
};

/// Steps back of the edits before this one, to the program's own layout; empty if there is no such way.
std::vector<Step> steps_back(const char* from, const EditedClass& returned, const std::vector<EditOfClasses>& earlier) {
  std::vector<Step> steps;
  for (auto each = earlier.rbegin(); each != earlier.rend(); ++each) {
    for (const EditedClass* const edited : each->classes) {
      if (*edited->type != *returned.type || !is_same(edited->layout, from) || edited->no_way_back != nullptr) continue;
      if (is_same(edited->old_layout, edited->layout)) continue;
      steps.push_back({edited, EditedConverter::Direction::backward, edited->old_layout});
      from = edited->old_layout;
    }
    if (is_same(from, returned.program_layout)) return steps;
  }
  return {};
}

bool has_layout(const EditOfClasses& edit, const EditedClass& wanted, const char* layout) {
  return std::ranges::any_of(edit.classes, [&](const EditedClass* each) {
    return *each->type == *wanted.type && is_same(each->layout, layout);
  });
}

/// The newest edit that has the class in the layout `from`; null if none has.
const EditOfClasses* edit_with(const char* from, const EditedClass& wanted, const std::vector<EditOfClasses>& earlier) {
  const auto found = std::find_if(earlier.rbegin(), earlier.rend(),
                                  [&](const EditOfClasses& each) { return has_layout(each, wanted, from); });
  return found == earlier.rend() ? nullptr : &*found;
}

/// The edit was built to go on from one that has the class in the layout `from`.
bool knows(const EditOfClasses& edit, const char* from, const EditedClass& wanted,
           const std::vector<EditOfClasses>& earlier) {
  return !edit.base.build_id.empty() && std::ranges::any_of(earlier, [&](const EditOfClasses& each) {
    return each.build_id == edit.base.build_id && has_layout(each, wanted, from);
  });
}

[[noreturn]] void throw_other_layout(const EditOfClasses& edit, const std::string& name,
                                     const EditOfClasses* effective) {
  std::string why = edit.name + ": was built to go on from ";
  if (effective == nullptr) {
    if (edit.base.file.empty())
      why.append("another layout of ").append(name).append(" than its objects have; build it again");
    else
      why.append(edit.base.file).append(", and this process has ").append(name);
    if (!edit.base.file.empty()) why.append(" as it was built; apply ").append(edit.base.file).append(" first");
    throw Error(ErrorCode::layout_mismatch, why);
  }
  const std::string update = "update " + std::to_string(effective->update);
  why += edit.base.file.empty() ? "the program as it was built" : edit.base.file;
  why.append(", and ").append(update).append(" (\"").append(effective->name).append("\") has given the objects of ");
  why.append(name).append(" a layout that it does not know; build it with --after and that update's file, or roll ");
  why.append(update).append(" back first (moult rollback); what that one added to the objects is lost then");
  throw Error(ErrorCode::layout_mismatch, why);
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

EditedClasses EditedClasses::prepare(const EditOfClasses& edit, const EditedClassList& returned,
                                     const std::vector<EditOfClasses>& earlier) {
  EditedClasses classes;
  if (edit.classes.empty() && returned.empty()) return classes;
  const SharedReading reading;
  const Program program = Program::of_this_process();
  std::set<const ObjectClass*> seen;
  const auto add = [&](const EditedClass& edited, const char* to, auto&& steps_from) {
    const ObjectClass& of_class = object_class_of(*edited.type);
    const char* const from = layout_of(of_class, edited);
    if (!seen.insert(&of_class).second || is_same(from, to)) return;
    const std::vector<Step> steps = steps_from(from, edited);
    if (steps.empty()) throw_other_layout(edit, of_class.name.text(), edit_with(from, edited, earlier));
    require_no_other_users(edit.name, of_class, program);
    for (const char* before = from; const Step& each : steps) {
      classes.changes_.push_back({&of_class, &object_class_of(*edited.pool), before, each.after,
                                  ObjectChange::prepare_edit(*each.edited, each.direction)});
      before = each.after;
    }
  };
  const auto forward = [](const char* from, const EditedClass& edited) {
    return is_same(edited.old_layout, from)
               ? std::vector<Step>{{&edited, EditedConverter::Direction::forward, edited.layout}}
               : std::vector<Step>();
  };
  const auto back = [&](const char* from, const EditedClass& edited) {
    return knows(edit, from, edited, earlier) ? steps_back(from, edited, earlier) : std::vector<Step>();
  };
  for (const EditedClass* const each : edit.classes) add(*each, each->layout, forward);
  for (const EditedClass* const each : returned) add(*each, each->program_layout, back);
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
