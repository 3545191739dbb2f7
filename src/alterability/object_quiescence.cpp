// Quiescence of objects: no function of their class is active, and no thread stands between an object's destruction and
// the deletion of its slot (deletion.cpp). An object whose constructor has not begun is known by its slot
// (data/raw_mark.hpp) and keeps nobody waiting.
#include "alterability/object_quiescence.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "alterability/class_activity.hpp"
#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "moult/error.hpp"

namespace moult::alterability {
namespace {

/// A class need not have code of its own.
void add_class(const symbols::Program& program, const std::string& name, std::vector<FunctionExtent>& functions) {
  try {
    for (FunctionExtent& extent : extents_of_class(program, name)) functions.push_back(std::move(extent));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
}

std::string deletion_in(ThreadId thread) { return threads::describe_thread(thread) + " is deleting an object"; }

}  // namespace

ObjectQuiescence::ObjectQuiescence(const std::vector<std::string>& classes, std::span<const FunctionExtent> also)
    : functions_(also.begin(), also.end()), deletions_(symbols::Program::of_this_process()) {
  MOULT_FAULT("alterability.objects.find");
  const symbols::Program program = symbols::Program::of_this_process();
  for (const std::string& name : classes) add_class(program, name, functions_);
}

std::optional<ObjectQuiescence::Obstacle> ObjectQuiescence::find(const threads::StoppedWorld& stopped) const {
  if (std::optional<Activity> activity = find_activity(stopped, functions_, {}))
    return Obstacle{activity, activity->thread};
  if (std::optional<ThreadId> deleting = deletions_.find(stopped)) return Obstacle{std::nullopt, *deleting};
  return std::nullopt;
}

/// Reads symbols: not in a stopped program.
std::string ObjectQuiescence::describe(const Obstacle& obstacle) {
  return obstacle.activity ? explain(*obstacle.activity) : deletion_in(obstacle.thread);
}

std::optional<ObjectQuiescence::Obstacle> ObjectQuiescence::probe(const Patience& patience) const {
  Transaction& transaction = *Transaction::current();
  MOULT_FAULT("alterability.objects.probe");
  if (transaction.suspension() == nullptr)
    transaction.hold(threads::StoppedWorld::stop({.timeout = patience.stop_timeout, .keep_out = {}}));
  std::optional<Obstacle> obstacle = find(*threads::current_stop());
  if (obstacle) transaction.resume();
  return obstacle;
}

bool ObjectQuiescence::check(const Patience& patience) const {
  std::optional<Obstacle> obstacle = probe(patience);
  if (obstacle) Transaction::current()->set_reason(describe(*obstacle));
  return !obstacle;
}

bool ObjectQuiescence::wait(const Patience& patience) const {
  auto deadline = std::chrono::steady_clock::now() + patience.sleep_time * patience.max_tries;
  std::chrono::milliseconds delay = std::min(std::chrono::milliseconds{1}, patience.sleep_time);
  for (;;) {
    std::optional<Obstacle> obstacle = probe(patience);
    if (!obstacle) return true;
    if (std::chrono::steady_clock::now() + delay > deadline) {
      Transaction::current()->set_reason(describe(*obstacle));
      return false;
    }
    std::this_thread::sleep_for(delay);
    delay = std::min(delay * 2, patience.sleep_time);
  }
}

void ObjectQuiescence::require(const threads::StoppedWorld& stopped) const {
  require_quiescence(stopped, functions_);
  if (std::optional<ThreadId> deleting = deletions_.find(stopped))
    throw Error(ErrorCode::still_active, deletion_in(*deleting) + "; try again");
}

}  // namespace moult::alterability
