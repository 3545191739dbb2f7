// An attempt's way forward, then the ways it ends: postponed, refused, failed, aborted, and later rolled back.
//
// After an exception the order is always the same: undo the changes in a stopped program, pair an open pause_hook with
// its resume_hook, resume the program, clean up after preupdate_setup, and only then build messages.
//
// If the program has been stopped without a break since before the update's first change, no thread can have run
// changed code. Then everything is undone at once, without the steps' checks.
#include "lifecycle/update_run.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "base/fault.hpp"
#include "base/strict_memory.hpp"
#include "lifecycle/undo.hpp"

namespace moult::internal {
namespace {

/// The time for all tries to undo a failed update: as long as the update would wait for its alterability, but at least
/// one second.
Deadline undo_deadline(const Patience& patience) {
  return deadline_after(
      std::max<std::chrono::milliseconds>(patience.sleep_time * patience.max_tries, std::chrono::seconds(1)));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : ", ") + line;
  return all;
}

}  // namespace

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

/// The one place that catches what an update throws. It also leaves the program running, whatever happened.
RunStatus UpdateRun::guarded(ChangeArbiter& arbiter, ChangeToken token, const std::function<RunStatus()>& body) {
  const StrictMemory strict;
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
    destroy_update();
  token_.release();
  arbiter_ = nullptr;
  return progress;
}

template <class Call>
decltype(auto) UpdateRun::call(const char* step, Call&& make_call) {
  step_ = step;
  return make_call();
}

RunStatus UpdateRun::carry_out(ChangeArbiter& arbiter, ChangeToken token) noexcept {
  return guarded(arbiter, std::move(token), [this] {
    bool is_alterable = false;
    do {
      if (std::optional<RunStatus> early = set_up()) return *early;
      is_alterable = wait_alterability();
      if (!token_ || is_to_withdraw_) return end_withdrawn();
      if (has_lost_turn_) begin_again();
    } while (has_lost_turn_);
    if (!is_alterable) return not_alterable();
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

RunStatus UpdateRun::probe(ChangeArbiter& arbiter, ChangeToken token) noexcept {
  return guarded(arbiter, std::move(token), [this] {
    if (phase_ == Phase::in_effect) return see_whether_over();
    if (phase_ == Phase::set_up && is_to_withdraw_) return end_withdrawn();
    if (phase_ == Phase::set_up && arbiter_->changes() != changes_seen_) begin_again();
    if (phase_ == Phase::not_begun)
      if (std::optional<RunStatus> early = set_up()) return *early;
    if (!is_alterable()) return ++tries_ < patience_.max_tries ? RunStatus::pending : not_alterable();
    change();
    tries_ = 0;
    return see_whether_over();
  });
}

bool UpdateRun::wait_alterability() {
  MOULT_FAULT("lifecycle.before.wait_alterability");
  struct Resting {
    explicit Resting(UpdateRun& run) : transaction(*run.transaction_) {
      transaction.rest_by([&run](Deadline deadline, const auto& sleep) { return run.rest(deadline, sleep); });
    }
    ~Resting() { transaction.rest_by({}); }
    Transaction& transaction;
  };
  const Resting resting(*this);
  has_lost_turn_ = false;
  recorder_.reserve();  // the wait ends in a stopped program
  return call("wait_alterability", [this] { return update_->wait_alterability(); });
}

/// Sleeps without the token, and looks now and then whether the update was withdrawn. False without a token when it
/// was; with one when another update has changed the program.
bool UpdateRun::rest(Deadline deadline, const Transaction::Sleep& sleep) {
  constexpr std::chrono::milliseconds between_looks{50};
  if (has_lost_turn_ || !token_) return false;
  token_.release();
  for (Deadline now = std::chrono::steady_clock::now(); now < deadline && !is_to_withdraw_;
       now = std::chrono::steady_clock::now())
    if (sleep(std::min<Deadline>(deadline, now + between_looks))) break;
  while (!token_ && !is_to_withdraw_)
    token_ = arbiter_->take(deadline_after(std::chrono::hours(1)), [this] { return is_to_withdraw_.load(); });
  has_lost_turn_ = token_ && arbiter_->changes() != changes_seen_;
  return token_ && !has_lost_turn_;
}

RunStatus UpdateRun::end_withdrawn() {
  transaction_->resume();
  clean_failed_alterability();
  recorder_.record(*transaction_, EventKind::update_withdrawn);
  return settle(UpdateState::aborted, StepFailure{ErrorCode::alterability, withdrawn_before_applied});
}

/// Another update has changed the program since this one was prepared.
void UpdateRun::begin_again() {
  transaction_->resume();
  clean_failed_alterability();
  transaction_->resume();
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

/// Shows in the report what the update waits for.
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
  recorder_.reserve();  // the check ends in a stopped program
  return call("check_alterability", [this] { return update_->check_alterability(); });
}

void UpdateRun::change() {
  recorder_.reserve();
  steps_before_pause_ = transaction_->steps().size();
  recorder_.record(*transaction_, EventKind::alterability_reached);
  MOULT_FAULT("lifecycle.before.pause_hook");
  call("pause_hook", [this] { update_->pause_hook(); });
  hook_open_ = true;
  change_number_ = arbiter_->changes() + 1;
  transaction_->run_pause([this, caller = std::this_thread::get_id()] { stop_and_change(caller); });
  transaction_->end_attempt();
  arbiter_->count_change();
  note_end_of_pause();
  phase_ = Phase::in_effect;
  token_.release();
}

/// Runs in the thread that a mechanism has chosen. The thread that made a stop ends it.
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

/// One probe of check_over. The number of probes is limited, as for alterability: an update that is never over is
/// undone.
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

RunStatus UpdateRun::not_alterable() {
  clean_failed_alterability();
  transaction_->resume();
  return postpone(EventKind::not_alterable, transaction_->reason());
}

/// Calls the update's own clean-up, and then undoes what is left in its transaction: every attempt begins with an empty
/// one.
void UpdateRun::clean_failed_alterability() {
  needs_cleaning_ = false;
  MOULT_FAULT("lifecycle.before.clean_failed_alterability");
  step_ = "clean_failed_alterability";
  update_->clean_failed_alterability();
  if (std::optional<StepFailure> failure = undo_everything()) throw Error(failure->code, failure->reason);
  transaction_->end_attempt();
}

RunStatus UpdateRun::postpone(EventKind kind, const std::string& reason) {
  phase_ = Phase::not_begun;
  tries_ = 0;
  if (patience_.max_postponements && postponements_ >= *patience_.max_postponements) {
    std::string last = reason.empty() ? std::string(name_of(kind)) : reason;
    return fail_with(UpdateState::failed, EventKind::update_failed,
                     {ErrorCode::alterability,
                      last + " (postponed " + std::to_string(postponements_) + " times, no more are allowed)"});
  }
  ++postponements_;
  recorder_.record(*transaction_, kind, reason, ErrorCode::alterability);
  record_.end_attempt([&](UpdateReport& report) {
    report.state = UpdateState::queued;
    report.code = ErrorCode::alterability;
    report.reason = reason.empty() ? std::string(name_of(kind)) : reason;
    report.postponements = postponements_;
    report.all_pauses = transaction_->all_pauses();
  });
  // After the state has changed: a withdrawal meanwhile found it active, and has left it to this attempt.
  if (!is_to_withdraw_ || !record_.withdraw()) return RunStatus::postponed;
  recorder_.record(*transaction_, EventKind::update_withdrawn);
  return RunStatus::ended;
}

RunStatus UpdateRun::fail_safely(const std::exception_ptr& error) noexcept {
  try {
    return fail(error);
  } catch (...) {
    // No memory for the message. Everything that had to be done was done before the message was built.
    return settle(UpdateState::failed, StepFailure{ErrorCode::no_room, "no memory"});  // no allocation: it is short
  }
}

RunStatus UpdateRun::fail(const std::exception_ptr& error) {
  std::string_view step = step_;
  bool refused = !touched_;
  std::optional<StepFailure> not_undone = undo_everything();
  if (std::exchange(hook_open_, false)) quietly("resume_hook", [this] { update_->resume_hook(); });
  transaction_->resume();
  recorder_.flush(transaction_->last_pause());
  clean_up_quietly();
  if (!not_undone) not_undone = undo_everything();
  transaction_->resume();
  StepFailure failure = describe(error, step);
  if (failure.code == ErrorCode::thread_unstoppable)
    recorder_.record(*transaction_, EventKind::suspend_timed_out, failure.reason, failure.code);
  if (!not_undone)
    return fail_with(refused ? UpdateState::refused : UpdateState::failed,
                     refused ? EventKind::update_refused : EventKind::update_failed, std::move(failure));
  recorder_.record(*transaction_, EventKind::undo_failed,
                   not_undone->reason + "; still applied: " + joined(transaction_->changes()), not_undone->code);
  failure.reason += "; not undone: " + not_undone->reason;
  return fail_with(UpdateState::failed, EventKind::update_failed, std::move(failure));
}

RunStatus UpdateRun::fail_with(UpdateState state, EventKind kind, StepFailure failure) {
  recorder_.record(*transaction_, kind, failure.reason, failure.code);
  return settle(state, std::move(failure));
}

bool UpdateRun::never_ran_changed() const noexcept {
  const Suspension* suspension = transaction_->suspension();
  return suspension != nullptr && steps_before_pause_ == 0 && pause_began_ == suspension->began();
}

/// A step in the pause has thrown, in a thread that carries out only the pause. Undoes what can be undone at once.
void UpdateRun::leave_stop() {
  if (never_ran_changed()) transaction_->undo_all();
  if (std::exchange(hook_open_, false)) quietly("resume_hook", [this] { update_->resume_hook(); });
  transaction_->resume();
}

/// Undoes the transaction's changes. If the stop was never left, nothing that may throw or wait comes before the undo.
std::optional<StepFailure> UpdateRun::undo_everything() {
  if (transaction_->steps().empty()) return std::nullopt;
  bool never_ran = never_ran_changed();
  if (!token_) {
    transaction_->resume();
    token_ = arbiter_->take(undo_deadline(patience_));
    if (!token_) return StepFailure{ErrorCode::timed_out, "another update kept changing the program"};
  }
  if (never_ran) {
    transaction_->undo_all();
  } else {
    transaction_->end_attempt();  // threads held for the attempt may have to leave the code
    if (std::optional<StepFailure> failure =
            undo_changes(*transaction_, {.stop_timeout = patience_.stop_timeout, .deadline = undo_deadline(patience_)}))
      return failure;
  }
  arbiter_->count_change();
  return std::nullopt;
}

/// Exactly one of clean_failed_alterability and cleanup follows preupdate_setup, depending on how far the attempt came.
void UpdateRun::clean_up_quietly() noexcept {
  if (!std::exchange(needs_cleaning_, false)) return;
  if (phase_ == Phase::in_effect) {
    quietly("cleanup", [this] { update_->cleanup(); });
  } else {
    quietly("clean_failed_alterability", [this] { update_->clean_failed_alterability(); });
  }
}

void UpdateRun::quietly(const char* step, const std::function<void()>& make_call) noexcept {
  try {
    make_call();
  } catch (...) {
    try {
      std::string reason = describe(std::current_exception(), step).reason;
      recorder_.record(*transaction_, EventKind::warning,
                       std::string(step) + " threw while the update was taken back: " + reason);
    } catch (...) {
      // No memory for the warning: the undo continues without it.
    }
  }
}

void UpdateRun::abort(ChangeArbiter& arbiter, const std::string& reason) noexcept {
  if (record_.is_settled()) return destroy_update();
  guarded(arbiter, {}, [&] {
    std::optional<StepFailure> not_undone = undo_everything();
    transaction_->resume();
    clean_up_quietly();
    recorder_.record(*transaction_, EventKind::warning, "aborted: " + reason);
    if (not_undone) return fail_with(UpdateState::failed, EventKind::undo_failed, std::move(*not_undone));
    return settle(UpdateState::aborted, StepFailure{ErrorCode::alterability, reason});
  });
}

/// Notes the final state. `release` changes the record, where other threads wait, last: when the update is gone.
RunStatus UpdateRun::settle(UpdateState state, std::optional<StepFailure> failure) noexcept {
  settled_ = state;
  failure_ = std::move(failure);
  return RunStatus::ended;
}

/// Destroys the update, also if it was withdrawn: a handle keeps no update alive.
void UpdateRun::destroy_update() {
  update_.reset();
  steps_code_ = {};
  transaction_.emplace();  // allocates nothing
}

/// A rollback needs at least one: it shows that there is something to take back.
std::vector<std::string> UpdateRun::lines_of_changes() noexcept {
  try {
    return transaction_->changes();
  } catch (const std::bad_alloc&) {
    return std::move(unlisted_);
  }
}

/// An applied update keeps its transaction, for a rollback, and its object, which the undo may need.
void UpdateRun::release() noexcept {
  std::vector<std::string> changes = lines_of_changes();
  std::vector<std::string> warnings = transaction_->take_warnings();
  std::chrono::nanoseconds all_pauses = transaction_->all_pauses();
  steps_code_.set_use(CodeUse::ended_update);
  if (settled_ != UpdateState::applied && changes.empty()) destroy_update();
  record_.settle([&](UpdateReport& report) {
    report.state = *settled_;
    report.code.reset();
    report.reason.clear();
    if (failure_) {
      report.code = failure_->code;
      report.reason = std::move(failure_->reason);
    }
    report.changes = std::move(changes);
    report.warnings = std::move(warnings);
    report.all_pauses = all_pauses;
  });
}

void UpdateRun::roll_back(ChangeArbiter& arbiter, Deadline deadline) {
  {
    const StrictMemory strict;
    Transaction::Scope scope(*transaction_);
    undo_changes_or_throw(*transaction_, {.stop_timeout = patience_.stop_timeout, .deadline = deadline});
  }
  arbiter.count_change();
  recorder_.record(*transaction_, EventKind::update_rolled_back);
  settle(UpdateState::rolled_back);
  release();
}

}  // namespace moult::internal
