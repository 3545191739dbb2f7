#include "lifecycle/update_registry.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.hpp"
#include "base/event.hpp"
#include "base/names.hpp"
#include "lifecycle/submission.hpp"

namespace moult {
namespace internal {
namespace {

/// Whether a change of the update is left: it was applied, or it failed and could not be undone.
bool has_effect(const UpdateReport& report) { return report.state == UpdateState::applied || !report.changes.empty(); }

[[noreturn]] void throw_not_applied(const std::string& update, const UpdateReport* report = nullptr) {
  if (report != nullptr && report->state == UpdateState::active)
    throw Error(ErrorCode::timed_out, update + ": its manager " + report->manager +
                                          " is carrying it out; try again when it has been applied or postponed");
  throw Error(ErrorCode::not_found,
              update + ": no such update is applied or waits for its turn; `moult status` lists those that do");
}

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

UpdateRegistry::Registration::Registration(UpdateRegistry& registry, std::string name)
    : registry_(registry), name_(std::move(name)), of_dry_run_(Submission::dry_run() != nullptr) {
  check_name("a manager's name", name_);
  bool is_new = registry_.data_.with([&](Data& data) {
    return of_dry_run_ ? !data.managers.contains(name_) : data.managers.try_emplace(name_, nullptr).second;
  });
  if (of_dry_run_ && is_new) is_new = Submission::dry_run()->managers().try_emplace(name_, nullptr).second;
  if (!is_new)
    throw Error(ErrorCode::invalid_argument, "manager " + name_ + ": there is one of that name; threaded_manager(\"" +
                                                 name_ + "\") finds it, or choose another name");
}

UpdateRegistry::Registration::~Registration() {
  if (!of_dry_run_)
    registry_.data_.with([&](Data& data) { data.managers.erase(name_); });
  else if (Submission* dry_run = Submission::dry_run())
    dry_run->managers().erase(name_);
}

void UpdateRegistry::Registration::publish(AnyManager& manager) {
  if (!of_dry_run_)
    registry_.data_.with([&](Data& data) { data.managers[name_] = &manager; });
  else if (Submission* dry_run = Submission::dry_run())
    dry_run->managers()[name_] = &manager;
}

void UpdateRegistry::Registration::hide() noexcept {
  if (of_dry_run_) return;
  registry_.data_.with([&](Data& data) { data.managers.find(name_)->second = nullptr; });
}

AnyManager* UpdateRegistry::manager(std::string_view name) const {
  if (Submission* dry_run = Submission::dry_run()) {
    auto found = dry_run->managers().find(name);
    if (found != dry_run->managers().end()) return found->second;
  }
  return data_.with([&](const Data& data) {
    auto found = data.managers.find(name);
    return found == data.managers.end() ? nullptr : found->second;
  });
}

std::vector<std::string> UpdateRegistry::manager_names() const {
  std::vector<std::string> names;
  data_.with([&](const Data& data) {
    for (const auto& [name, manager] : data.managers)
      if (manager != nullptr) names.push_back(name);
  });
  return names;
}

std::shared_ptr<UpdateRun> UpdateRegistry::add(const std::string& manager, std::unique_ptr<Update> update,
                                               const std::vector<ThreadId>& default_threads, const Enqueue& enqueue) {
  return data_.with([&](Data& data) {
    const std::uint64_t id = ++data.last_id;
    std::shared_ptr<UpdateRun> run = std::make_shared<UpdateRun>(id, manager, std::move(update), default_threads);
    data.runs[id] = run;
    try {
      enqueue(run);
    } catch (...) {
      data.runs.erase(id);
      throw;
    }
    return run;
  });
}

void UpdateRegistry::update_ended(const std::shared_ptr<UpdateRun>& run) noexcept {
  try {
    UpdateReport report = run->record().report();
    if (has_effect(report)) return;
    data_.with([&](Data& data) {
      if (!data.runs.contains(run->id())) return;
      data.ended.push_back(std::move(report));
      data.runs.erase(run->id());
      if (data.ended.size() > kept_reports) data.ended.pop_front();
    });
  } catch (const std::bad_alloc&) {  // the whole update is kept, and its report with it
  }
}

std::vector<std::shared_ptr<UpdateRun>> UpdateRegistry::runs() const {
  std::vector<std::shared_ptr<UpdateRun>> all;
  data_.with([&](const Data& data) {
    all.reserve(data.runs.size());
    for (const auto& [id, run] : data.runs) all.push_back(run);
  });
  return all;
}

bool UpdateRegistry::is_applied(std::string_view name) const {
  return std::ranges::any_of(runs(), [&](const std::shared_ptr<UpdateRun>& run) {
    return run->name() == name && run->record().state() == UpdateState::applied;
  });
}

std::vector<UpdateReport> UpdateRegistry::reports() const {
  std::vector<UpdateReport> all = data_.with([](const Data& data) {
    std::vector<UpdateReport> known(data.ended.begin(), data.ended.end());
    for (const auto& [id, run] : data.runs) known.push_back(run->record().report());
    return known;
  });
  std::ranges::sort(all, {}, &UpdateReport::id);
  return all;
}

std::optional<UpdateReport> UpdateRegistry::report(std::uint64_t id) const {
  return data_.with([&](const Data& data) -> std::optional<UpdateReport> {
    auto run = data.runs.find(id);
    if (run != data.runs.end()) return run->second->record().report();
    auto ended = std::ranges::find(data.ended, id, &UpdateReport::id);
    if (ended != data.ended.end()) return *ended;
    return std::nullopt;
  });
}

std::shared_ptr<UpdateRun> UpdateRegistry::find(std::uint64_t id) const {
  return data_.with([&](const Data& data) {
    auto found = data.runs.find(id);
    return found == data.runs.end() ? nullptr : found->second;
  });
}

void UpdateRegistry::roll_back(std::uint64_t id, std::chrono::milliseconds timeout) {
  const std::shared_ptr<UpdateRun> run = find(id);
  if (run == nullptr) throw_not_applied("update " + std::to_string(id));
  roll_back(run, timeout);
}

std::uint64_t UpdateRegistry::newest(std::string_view name) const {
  std::vector<std::shared_ptr<UpdateRun>> all = runs();
  std::ranges::reverse(all);
  auto newest = std::ranges::find_if(all, [&](const std::shared_ptr<UpdateRun>& run) {
    return run->name() == name && (!run->record().is_settled() || has_effect(run->record().report()));
  });
  if (newest == all.end()) throw_not_applied(std::string(name));
  return (*newest)->id();
}

std::vector<std::uint64_t> UpdateRegistry::applied() const {
  std::vector<std::shared_ptr<UpdateRun>> all = runs();
  std::erase_if(all, [](const std::shared_ptr<UpdateRun>& run) {
    return !run->record().is_settled() || !has_effect(run->record().report());
  });
  std::ranges::sort(all, std::ranges::greater(), &UpdateRun::change_number);
  std::vector<std::uint64_t> ids;
  for (const std::shared_ptr<UpdateRun>& run : all) ids.push_back(run->id());
  return ids;
}

std::vector<std::uint64_t> UpdateRegistry::unsettled() const {
  std::vector<std::uint64_t> ids;
  for (const std::shared_ptr<UpdateRun>& run : runs())
    if (!run->record().is_settled()) ids.push_back(run->id());
  return ids;
}

void UpdateRegistry::roll_back(std::string_view name, std::chrono::milliseconds timeout) {
  roll_back(newest(name), timeout);
}

bool UpdateRegistry::withdraw(const std::shared_ptr<UpdateRun>& run) {
  if (!run->withdraw()) return false;
  Event event;
  event.kind = EventKind::update_withdrawn;
  event.update = run->name();
  event.update_id = run->id();
  event_log().publish(std::move(event));
  update_ended(run);
  return true;
}

void UpdateRegistry::withdraw(std::uint64_t id) {
  const std::shared_ptr<UpdateRun> run = find(id);
  if (run == nullptr || withdraw(run)) return;
  run->set_to_withdraw(true);
  arbiter_.wake();
  withdraw(run);  // it may have been postponed in between
}

/// Ends it unless it is changing the program; otherwise waits for the end of its attempt. True when it was withdrawn.
bool UpdateRegistry::withdraw_active(const std::shared_ptr<UpdateRun>& run, Deadline deadline) {
  run->set_to_withdraw(true);
  arbiter_.wake();
  const bool is_over = run->record().wait_while_active(deadline);
  if (!is_over) run->set_to_withdraw(false);
  return is_over && run->record().state() == UpdateState::aborted;
}

void UpdateRegistry::roll_back(const std::shared_ptr<UpdateRun>& run, std::chrono::milliseconds timeout) {
  std::string what = run->name() + " (update " + std::to_string(run->id()) + ")";
  if (Transaction::current() != nullptr)
    throw Error(ErrorCode::invalid_argument, what + ": cannot be rolled back from a step of another update");
  if (Submission::dry_run() != nullptr) return;
  Deadline deadline = deadline_after(timeout);
  if (withdraw(run)) return;
  if (run->record().state() == UpdateState::active && withdraw_active(run, deadline)) return;
  ChangeToken token = arbiter_.take(deadline);
  if (!token) throw Error(ErrorCode::timed_out, what + ": another update kept changing the program; try again later");
  if (withdraw(run)) return;  // it was postponed meanwhile
  UpdateReport report = run->record().report();
  if (!has_effect(report)) throw_not_applied(what, &report);
  if (report.changes.empty())
    throw Error(ErrorCode::unsupported, what + ": recorded no change that could be taken back");
  run->roll_back(arbiter_, deadline);
  token.release();
  update_ended(run);
}

UpdateRegistry& update_registry() {
  static UpdateRegistry* const the_registry = new UpdateRegistry;
  return *the_registry;
}

std::shared_ptr<UpdateRun> admit(const std::string& manager, std::unique_ptr<Update> update,
                                 const std::vector<ThreadId>& default_threads, const Enqueue& enqueue) {
  if (update == nullptr)
    throw Error(ErrorCode::invalid_argument, "manager " + manager + ": add_update was given no update");
  if (Submission* dry_run = Submission::dry_run()) {
    std::shared_ptr<UpdateRun> run = only_check(manager, std::move(update), default_threads);
    dry_run->record(UpdateHandle(run));
    return run;
  }
  std::shared_ptr<UpdateRun> run = update_registry().add(manager, std::move(update), default_threads, enqueue);
  try {
    if (Submission* submission = Submission::current()) submission->record(UpdateHandle(run));
    tell_queued(*run, manager);
  } catch (...) {
    run->withdraw();
    run->announce();  // others are queued behind it
    throw;
  }
  run->announce();
  return run;
}

void turn_away(const std::shared_ptr<UpdateRun>& run, const std::string& reason) {
  run->abort(update_registry().arbiter(), reason);
  update_registry().update_ended(run);
}

}  // namespace internal

AnyManager* fetch_manager(std::string_view name) { return internal::update_registry().manager(name); }

bool is_applied(std::string_view name) { return internal::update_registry().is_applied(name); }

void roll_back(std::uint64_t update_id, std::chrono::milliseconds timeout) {
  internal::update_registry().roll_back(update_id, timeout);
}

void roll_back(std::string_view update_name, std::chrono::milliseconds timeout) {
  internal::update_registry().roll_back(update_name, timeout);
}

std::vector<UpdateReport> all_updates() { return internal::update_registry().reports(); }

}  // namespace moult
