// The way forward. What happens when a step throws or says no is in update_run_ends.cpp.
#include "lifecycle/update_run.hpp"

#include <algorithm>
#include <utility>

#include "base/fault.hpp"
#include "lifecycle/undo.hpp"

namespace moult::internal {

UpdateRun::UpdateRun(std::uint64_t id, std::string manager, std::unique_ptr<Update> update,
                     const std::vector<ThreadId>& default_threads)
    : id_(id),
      name_(update->name()),
      manager_(std::move(manager)),
      record_(id, name_, manager_),
      recorder_(id, name_, manager_),
      steps_code_(CodeUse::waiting_update, {vtable_of(update.get())}),
      update_(std::move(update)),
      patience_(update_->patience()) {
  transaction_->set_update(id);
  if (update_->threads_.empty()) update_->threads_ = default_threads;
}

/// The one place where what an update throws ends. Also the one that leaves the program running whatever happened.
RunStatus UpdateRun::guarded(ChangeArbiter& arbiter, ChangeToken token, const std::function<RunStatus()>& body) {
  arbiter_ = &arbiter;
  token_ = std::move(token);
  RunStatus progress = RunStatus::ended;
  {
    Transaction::Scope scope(*transaction_);
    std::exception_ptr error;
    try {
      progress = body();
    } catch (...) {
      error = std::current_exception();
    }
    if (error) progress = fail_safely(error);
    transaction_->resume();
    if (progress != RunStatus::pending) transaction_->end_attempt();
    recorder_.flush(transaction_->last_pause());
  }
  if (settled_)
    release();
  else if (record_.is_settled())
    let_go();
  token_.release();
  arbiter_ = nullptr;
  return progress;
}

template <class Call>
decltype(auto) UpdateRun::call(const char* step, Call&& make_call) {
  step_ = step;
  return make_call();
}

RunStatus UpdateRun::carry_out(ChangeArbiter& arbiter, ChangeToken token) {
  return guarded(arbiter, std::move(token), [this] {
    if (std::optional<RunStatus> early = set_up()) return *early;
    MOULT_FAULT("lifecycle.before.wait_alterability");
    if (!call("wait_alterability", [this] { return update_->wait_alterability(); })) return not_alterable();
    change();
    MOULT_FAULT("lifecycle.before.wait_over");
    if (!call("wait_over", [this] { return update_->wait_over(); })) {
      std::string reason = transaction_->reason().empty() ? "has not taken effect everywhere within its patience"
                                                          : transaction_->reason();
      throw Error(ErrorCode::timed_out, name_ + ": " + reason);
    }
    return finish();
  });
}

RunStatus UpdateRun::probe(ChangeArbiter& arbiter, ChangeToken token) {
  return guarded(arbiter, std::move(token), [this] {
    if (phase_ == Phase::in_effect) return see_whether_over();
    begin_again_if_changed();
    if (phase_ == Phase::not_begun)
      if (std::optional<RunStatus> early = set_up()) return *early;
    if (!is_alterable()) return ++tries_ < patience_.max_tries ? RunStatus::pending : not_alterable();
    change();
    tries_ = 0;
    return see_whether_over();
  });
}

/// What was prepared may be wrong by now when another update has changed the program between two probes.
void UpdateRun::begin_again_if_changed() {
  if (phase_ != Phase::set_up || arbiter_->changes() == changes_seen_) return;
  clean_failed_alterability();
  phase_ = Phase::not_begun;
}

std::optional<RunStatus> UpdateRun::set_up() {
  if (!record_.begin()) return RunStatus::ended;
  recorder_.record(*transaction_, EventKind::update_begun);
  transaction_->hear_reasons({});
  transaction_->set_reason({});
  transaction_->hear_reasons([this](const std::string& reason) { tell_what_it_waits_for(reason); });
  changes_seen_ = arbiter_->changes();
  touched_ = needs_cleaning_ = hook_open_ = false;
  pause_began_.reset();
  prepare();
  MOULT_FAULT("lifecycle.before.check_requirements");
  Requirements answer = call("check_requirements", [this] { return update_->check_requirements(); });
  if (answer == Requirements::never) {
    recorder_.record(*transaction_, EventKind::requirements_never_met);
    return settle(UpdateState::aborted, StepFailure{ErrorCode::alterability, "its requirements can never be met"});
  }
  if (answer == Requirements::not_yet) return postpone(EventKind::requirements_not_met, transaction_->reason());
  touched_ = needs_cleaning_ = true;
  MOULT_FAULT("lifecycle.before.preupdate_setup");
  call("preupdate_setup", [this] { update_->preupdate_setup(); });
  phase_ = Phase::set_up;
  return std::nullopt;
}

/// To whoever asks while it waits.
void UpdateRun::tell_what_it_waits_for(const std::string& reason) {
  record_.change([&](UpdateReport& report) {
    report.code = ErrorCode::alterability;
    report.reason = reason;
  });
}

void UpdateRun::prepare() {
  MOULT_FAULT("lifecycle.before.prepare");
  call("prepare", [this] { update_->prepare(); });
  record_.change([this](UpdateReport& report) { report.warnings = transaction_->warnings(); });
  if (transaction_->steps().empty() && transaction_->suspension() == nullptr) return;
  throw Error(ErrorCode::invalid_argument,
              name_ + ": prepare changed or stopped the program; move that to preupdate_setup or apply");
}

bool UpdateRun::is_alterable() {
  MOULT_FAULT("lifecycle.before.check_alterability");
  return call("check_alterability", [this] { return update_->check_alterability(); });
}

void UpdateRun::change() {
  recorder_.reserve();
  steps_before_pause_ = transaction_->steps().size();
  recorder_.record(*transaction_, EventKind::alterability_reached);
  MOULT_FAULT("lifecycle.before.pause_hook");
  call("pause_hook", [this] { update_->pause_hook(); });
  hook_open_ = true;
  transaction_->run_pause([this, caller = std::this_thread::get_id()] { stop_and_change(caller); });
  transaction_->end_attempt();
  arbiter_->count_change();
  note_end_of_pause();
  phase_ = Phase::in_effect;
  token_.release();
}

/// In whatever thread a mechanism has chosen. A stop is ended by the thread that made it.
void UpdateRun::stop_and_change(std::thread::id caller) {
  Transaction::Scope scope(*transaction_);
  try {
    pause();
    step_in_pause();
  } catch (...) {
    if (std::this_thread::get_id() != caller) leave_stop();
    throw;
  }
  transaction_->resume();
}

void UpdateRun::pause() {
  MOULT_FAULT("lifecycle.before.pause");
  step_ = "pause";
  bool found = transaction_->suspension() != nullptr;
  if (!found) transaction_->hold(suspend_program(patience_.stop_timeout));
  const Suspension& suspension = *transaction_->suspension();
  pause_began_ = suspension.began();
  recorder_.record_pause(suspension, found ? EventKind::threads_found_suspended : EventKind::threads_suspended);
}

void UpdateRun::step_in_pause() {
  MOULT_FAULT("lifecycle.before.apply");
  call("apply", [this] { update_->apply(); });
  MOULT_FAULT("lifecycle.before.preresume_setup");
  call("preresume_setup", [this] { update_->preresume_setup(); });
  MOULT_FAULT("lifecycle.before.resume_hook");
  hook_open_ = false;
  call("resume_hook", [this] { update_->resume_hook(); });
  MOULT_FAULT("lifecycle.before.resume");
}

void UpdateRun::note_end_of_pause() {
  recorder_.flush(transaction_->last_pause());
  record_.change([this](UpdateReport& report) {
    report.pause = transaction_->last_pause();
    report.threads = transaction_->last_thread_count();
  });
}

/// One probe of check_over. It is bounded as the probes of alterability are: an update that is never over is undone.
RunStatus UpdateRun::see_whether_over() {
  MOULT_FAULT("lifecycle.before.check_over");
  if (call("check_over", [this] { return update_->check_over(); })) return finish();
  if (++tries_ < patience_.max_tries) return RunStatus::pending;
  throw Error(ErrorCode::timed_out,
              name_ + ": has not taken effect everywhere after " + std::to_string(tries_) + " probes of check_over");
}

RunStatus UpdateRun::finish() {
  recorder_.record(*transaction_, EventKind::update_over);
  needs_cleaning_ = false;
  MOULT_FAULT("lifecycle.before.cleanup");
  call("cleanup", [this] { update_->cleanup(); });
  MOULT_FAULT("lifecycle.before.completed");
  transaction_->resume();
  recorder_.record(*transaction_, EventKind::update_completed);
  return settle(UpdateState::applied);
}

void UpdateRun::check() {
  recorder_.mute();
  ChangeArbiter no_change;
  guarded(no_change, {}, [this] {
    prepare();
    return settle(UpdateState::queued);
  });
}

}  // namespace moult::internal
