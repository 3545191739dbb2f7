// Quiescence of objects. No function of their class is active. No thread is between an object's destruction and the
// release of its slot (slot_release.cpp), or between operator new and the constructor (pools/under_construction.hpp).
#include "alterability/object_quiescence.hpp"

#include <algorithm>

#include "alterability/quiescence.hpp"
#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "elf/module_list.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "pools/class_pools.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace {

/// A class need not have code of its own.
void add_class(const Program& program, const ClassName& name, std::vector<FunctionExtent>& functions) {
  try {
    for (FunctionExtent& extent : extents_of_class(program, name)) functions.push_back(std::move(extent));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
}

std::string release_in(ThreadId thread) { return describe_thread(thread) + " is deleting an object"; }

}  // namespace

ObjectQuiescence::ObjectQuiescence(const std::vector<ClassName>& classes, std::span<const FunctionExtent> also)
    : ObjectQuiescence{internal::module_generation(),  // evaluated in this order only because of the braces
                       Program::of_this_process(), classes, also, Code::of_the_classes} {}

ObjectQuiescence ObjectQuiescence::of_pools(const std::vector<ClassName>& classes,
                                            std::span<const FunctionExtent> functions) {
  return ObjectQuiescence{internal::module_generation(), Program::of_this_process(), classes, functions,
                          Code::as_given};
}

ObjectQuiescence::ObjectQuiescence(std::uint64_t modules, const Program& program, const std::vector<ClassName>& classes,
                                   std::span<const FunctionExtent> functions, Code code)
    : modules_(modules),
      classes_(classes),
      code_(code),
      functions_(functions.begin(), functions.end()),
      slot_release_(program) {
  MOULT_FAULT("alterability.objects.find");
  if (code == Code::of_the_classes)
    for (const ClassName& name : classes) add_class(program, name, functions_);
  code_ranges_ = code_of(functions_);
}

bool ObjectQuiescence::is_current() const { return modules_ == internal::module_generation(); }

/// The pools that hold objects of the classes now.
std::vector<const Pool*> ObjectQuiescence::pools() const {
  std::vector<const Pool*> found;
  for (const ClassPools* each : all_class_pools())
    if (std::ranges::find(classes_, each->own.contents().usual->name) != classes_.end())
      each->for_each([&](const Pool& pool) {
        if (&pool == &each->own || code_ == Code::as_given) found.push_back(&pool);
      });
  return found;
}

std::optional<ObjectQuiescence::Obstacle> ObjectQuiescence::find(const StoppedWorld& stopped) const {
  if (std::optional<Activity> activity = find_activity(stopped, functions_, code_ranges_, {})) return *activity;
  if (std::optional<ThreadId> deleting = slot_release_.find(stopped)) return Releasing{*deleting};
  if (std::optional<ObjectUnderConstruction> object = find_under_construction(pools(), stopped)) return *object;
  return std::nullopt;
}

/// Reads symbols: not in a stopped program.
std::string ObjectQuiescence::describe(const Obstacle& obstacle) {
  if (const auto* activity = std::get_if<Activity>(&obstacle)) return explain(*activity);
  if (const auto* releasing = std::get_if<Releasing>(&obstacle)) return release_in(releasing->thread);
  return internal::describe(std::get<ObjectUnderConstruction>(obstacle));
}

std::optional<ObjectQuiescence::Obstacle> ObjectQuiescence::probe(const Patience& patience) const {
  Transaction& transaction = *Transaction::current();
  MOULT_FAULT("alterability.objects.probe");
  if (transaction.suspension() == nullptr)
    transaction.hold(StoppedWorld::stop({.timeout = patience.stop_timeout, .keep_out = {}}));
  std::optional<Obstacle> obstacle = find(*internal::current_stop());
  if (obstacle) transaction.resume();
  return obstacle;
}

bool ObjectQuiescence::check(const Patience& patience) const {
  std::optional<Obstacle> obstacle = probe(patience);
  if (obstacle) Transaction::current()->set_reason(describe(*obstacle));
  return !obstacle;
}

bool ObjectQuiescence::wait(const Patience& patience) const {
  return wait_until_clear(
      *Transaction::current(), patience, [&] { return probe(patience); }, describe);
}

void ObjectQuiescence::require(const StoppedWorld& stopped) const {
  require_quiescence(stopped, functions_);
  if (std::optional<ThreadId> deleting = slot_release_.find(stopped))
    throw Error(ErrorCode::still_active, release_in(*deleting) + "; try again");
  if (std::optional<ObjectUnderConstruction> object = find_under_construction(pools(), stopped))
    throw Error(ErrorCode::still_active, internal::describe(*object) + "; try again");
}

}  // namespace moult::internal
