// Problem: an addition to a class is a change like any other: it comes and goes with its update.
//
// Approach: a field is a side table (pools/side_table.hpp) and a name. Its removal takes the name and the values away
// in a stop; the values are destroyed when the program runs again, since their destructors are the program's code.
// Until then no code may hold a reference to a value. Code gets such a reference by asking for the field. So the
// removal of a field, or of one object's mixin, requires that no library which asked for it has code on a stack.
//
// Limits: the program itself does not count as such a user, since it is on every stack; its author answers for what it
// holds. The same is true for addresses of values that are stored anywhere but on a stack.
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "additions/fields.hpp"
#include "additions/methods.hpp"
#include "alterability/object_quiescence.hpp"
#include "base/fault.hpp"
#include "base/opaque.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"
#include "moult/class_additions.hpp"
#include "pools/class_pools.hpp"
#include "symbols/program.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

/// Destroys the values when the program runs; at once if there is no memory to record them.
void destroy_later(LooseValues values) noexcept {
  try {
    auto kept = std::make_shared<LooseValues>(std::move(values));
    Transaction::current()->after_resume([kept] { kept->destroy(); });
  } catch (...) {
    return;
  }
}

/// Records the change in the current update; without one, reports an untracked change. If it cannot be recorded, it is
/// undone, and the exception passes on.
void record(UndoStep step) {
  Transaction* transaction = Transaction::current();
  if (transaction == nullptr) return change_untracked([] {}, [&step] { return step.what; });
  const std::function<void()> take_back = step.undo;
  try {
    MOULT_FAULT("additions.additions.record");
    transaction->add(std::move(step));
  } catch (...) {
    take_back();
    throw;
  }
}

void require_unused(const SideTable& table) {
  std::vector<FunctionExtent> users;
  for (const CodeRange& module : table.users())
    users.push_back({"code of an update that uses " + table.name(), {module}});
  require_quiescence(*internal::current_stop(), users);
}

SideTable& commit(const detail::FieldKind& kind, std::unique_ptr<SideTable> made) {
  SideTable& table = internal::add_field(kind, std::move(made), Keeps::always);
  record({.what = {table.name() + " added, " + detail::name_of_type(*kind.type)},
          .check = [&table] { require_unused(table); },
          .undo =
              [&table] {
                remove_field(table);
                destroy_later(table.take_all());
                table.forget_code();
              }});
  return table;
}

void make_values(SideTable& table, const Pool& pool) {
  for (void* object : detail::live_objects(pool, {.subclasses = Subclasses::included})) {
    MOULT_FAULT("additions.additions.value");
    table.value_of(object);
  }
}

/// Adds the field with a value for every live object.
SideTable& commit_with_values(const detail::FieldKind& kind, std::unique_ptr<SideTable> made, const Pool& pool) {
  const ClassName& name = pool.object_class().name;
  require_short_reading(made->name() + ", added with values at once,",
                        "add it in preupdate_setup, or with Values::at_first_use",
                        [&] { return Program::of_this_process().debug_info_size(name); });
  const ObjectQuiescence quiescence({name});
  SideTable* table = nullptr;
  in_stopped_world({.timeout = std::chrono::seconds(1), .keep_out = {}}, [&](const StoppedWorld& stopped) {
    quiescence.require(stopped);
    make_values(*made, pool);
    table = &commit(kind, std::move(made));
  });
  return *table;
}

/// The table of single objects with the mixin.
SideTable& mixin_table(const detail::FieldKind& kind) {
  if (SideTable* table = internal::find_field(kind)) return *table;
  internal::add_field(kind, std::make_unique<SideTable>(describe_field(kind), detail::MakeValue()), Keeps::while_used);
  return behind<SideTable>(detail::require_field(kind));
}

void record_given(SideTable& table, const void* object, std::uint64_t number) {
  record({.what = {table.name() + " given to an object"},
          .check = [&table] { require_unused(table); },
          .undo =
              [&table, object, number] {
                LooseValues taken;
                if (detail::SideValue* given = table.take(object, number)) taken.add(*given);
                destroy_later(std::move(taken));
                if (!table.makes_values() && table.count() == 0) table.forget_code();
              }});
}

}  // namespace
}  // namespace moult::internal

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

OpaqueSideTable& add_field(const FieldKind& kind, MakeValue make, const OpaquePool* live) {
  internal::require_changes_are_made(internal::describe_field(kind));
  internal::refuse_second_field(kind);
  auto table = std::make_unique<internal::SideTable>(internal::describe_field(kind), std::move(make), kind.module);
  if (live != nullptr)
    internal::commit_with_values(kind, std::move(table), internal::behind<internal::Pool>(*live));
  else
    internal::commit(kind, std::move(table));
  return require_field(kind);
}

SideValue& add_mixin(const FieldKind& kind, void* object, std::unique_ptr<SideValue> value) {
  internal::require_changes_are_made(internal::describe_field(kind));
  internal::SideTable& table = internal::mixin_table(kind);
  SideValue& given = give_value(table, object, std::move(value));
  internal::record_given(table, object, given.number);
  return given;
}

void add_method(const MethodKind& kind, Code function, Code invoker) {
  internal::require_changes_are_made(internal::describe_method(kind));
  const std::uint64_t number = internal::add_method(kind, function, invoker);
  internal::record({.what = {internal::describe_method(kind) + " added"}, .check = {}, .undo = [number] {
                      internal::remove_method(number);
                    }});
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
