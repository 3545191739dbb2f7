#include "lifecycle/admission.hpp"

#include <utility>

#include "base/event.hpp"
#include "lifecycle/submission.hpp"
#include "lifecycle/update_registry.hpp"

namespace moult::internal {
namespace {

void tell_queued(const UpdateRun& run, const std::string& manager) {
  Event event;
  event.kind = EventKind::update_queued;
  event.manager = manager;
  event.update = run.name();
  event.update_id = run.id();
  event_log().publish(std::move(event));
}

std::shared_ptr<UpdateRun> only_check(const std::string& manager, std::unique_ptr<Update> update,
                                      const std::vector<ThreadId>& default_threads) {
  std::shared_ptr<UpdateRun> run = std::make_shared<UpdateRun>(0, manager, std::move(update), default_threads);
  run->check();
  return run;
}

}  // namespace

Admission admit(const std::string& manager, std::unique_ptr<Update> update,
                const std::vector<ThreadId>& default_threads) {
  if (update == nullptr)
    throw Error(ErrorCode::invalid_argument, "manager " + manager + ": add_update was given no update");
  if (Submission* dry_run = Submission::dry_run()) {
    std::shared_ptr<UpdateRun> run = only_check(manager, std::move(update), default_threads);
    dry_run->record(UpdateHandle(run));
    return {std::move(run), false};
  }
  std::shared_ptr<UpdateRun> run = update_registry().add(manager, std::move(update), default_threads);
  if (Submission* submission = Submission::current()) submission->record(UpdateHandle(run));
  tell_queued(*run, manager);
  return {std::move(run), true};
}

void turn_away(const std::shared_ptr<UpdateRun>& run, const std::string& reason) {
  run->abort(update_registry().arbiter(), reason);
  update_registry().update_ended(run);
}

}  // namespace moult::internal
