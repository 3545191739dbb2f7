// The ways an attempt ends: postponed, refused, failed, aborted, and later rolled back.
//
// Whatever is thrown, the order is: take the changes back in a stopped program, pair an open pause_hook with its
// resume_hook, let the program run, clean up what preupdate_setup did, and only then build messages. When the program
// has been stopped without a break since before the update's first change, no thread can have run what was changed:
// everything is taken back at once, without asking the steps' checks.
#include <algorithm>
#include <utility>

#include "base/fault.hpp"
#include "lifecycle/undo.hpp"
#include "lifecycle/update_run.hpp"

namespace moult::internal {
namespace {

/// All tries to undo an update that failed: as long as it was ready to wait for its alterability, a second at least.
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

RunStatus UpdateRun::not_alterable() {
  clean_failed_alterability();
  transaction_->resume();
  return postpone(EventKind::not_alterable, transaction_->reason());
}

/// The update's own way back, and then what it has left in its transaction: every attempt begins with none.
void UpdateRun::clean_failed_alterability() {
  needs_cleaning_ = false;
  MOULT_FAULT("lifecycle.before.clean_failed_alterability");
  step_ = "clean_failed_alterability";
  update_->clean_failed_alterability();
  if (std::optional<StepFailure> trouble = undo_everything()) throw Error(trouble->code, trouble->reason);
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
  return RunStatus::postponed;
}

RunStatus UpdateRun::fail_safely(const std::exception_ptr& error) noexcept {
  try {
    return fail(error);
  } catch (...) {
    // No memory for the words. What had to be done was done before they were looked for.
    return settle(UpdateState::failed, StepFailure{});
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
  StepFailure trouble = describe(error, step);
  if (trouble.code == ErrorCode::thread_unstoppable)
    recorder_.record(*transaction_, EventKind::suspend_timed_out, trouble.reason, trouble.code);
  if (!not_undone)
    return fail_with(refused ? UpdateState::refused : UpdateState::failed,
                     refused ? EventKind::update_refused : EventKind::update_failed, std::move(trouble));
  recorder_.record(*transaction_, EventKind::undo_failed,
                   not_undone->reason + "; still in force: " + joined(transaction_->changes()), not_undone->code);
  trouble.reason += "; not undone: " + not_undone->reason;
  return fail_with(UpdateState::failed, EventKind::update_failed, std::move(trouble));
}

RunStatus UpdateRun::fail_with(UpdateState state, EventKind kind, StepFailure trouble) {
  recorder_.record(*transaction_, kind, trouble.reason, trouble.code);
  return settle(state, std::move(trouble));
}

bool UpdateRun::never_ran_changed() const noexcept {
  const Suspension* suspension = transaction_->suspension();
  return suspension != nullptr && steps_before_pause_ == 0 && pause_began_ == suspension->began();
}

/// A step in the pause has thrown in a thread that has only lent itself for the pause: what can be taken back at once
/// is.
void UpdateRun::leave_stop() {
  if (never_ran_changed()) transaction_->undo_all();
  if (std::exchange(hook_open_, false)) quietly("resume_hook", [this] { update_->resume_hook(); });
  transaction_->resume();
}

/// Nothing that may throw or wait stands between a failed apply and the undo when the stop was never left.
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
    transaction_->end_attempt();  // what is held back may be in the way of code that is to be left
    if (std::optional<StepFailure> trouble =
            undo_changes(*transaction_, {.stop_timeout = patience_.stop_timeout, .deadline = undo_deadline(patience_)}))
      return trouble;
  }
  arbiter_->count_change();
  return std::nullopt;
}

/// Exactly one of clean_failed_alterability and cleanup follows preupdate_setup: which, depends on how far it came.
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
      // No memory for the warning: the way back goes on without it.
    }
  }
}

void UpdateRun::abort(ChangeArbiter& arbiter, const std::string& reason) {
  if (record_.is_settled()) return let_go();
  guarded(arbiter, {}, [&] {
    std::optional<StepFailure> not_undone = undo_everything();
    transaction_->resume();
    clean_up_quietly();
    recorder_.record(*transaction_, EventKind::warning, "aborted: " + reason);
    if (not_undone) return fail_with(UpdateState::failed, EventKind::undo_failed, std::move(*not_undone));
    return settle(UpdateState::aborted, StepFailure{ErrorCode::alterability, reason});
  });
}

/// The record, where others wait, is changed last: by `release`, when the update and all it held are gone.
RunStatus UpdateRun::settle(UpdateState state, std::optional<StepFailure> trouble) {
  settled_ = state;
  trouble_ = std::move(trouble);
  return RunStatus::ended;
}

/// Also when it was withdrawn: whoever holds a handle holds no update.
void UpdateRun::let_go() {
  update_.reset();
  steps_code_ = {};
  transaction_ = std::make_unique<Transaction>();
}

/// What is in force keeps its transaction, to be rolled back, and its update, which the way back may need.
void UpdateRun::release() {
  std::vector<std::string> changes = transaction_->changes();
  std::vector<std::string> warnings = transaction_->warnings();
  std::chrono::nanoseconds all_pauses = transaction_->all_pauses();
  steps_code_.set_use(CodeUse::ended_update);
  if (settled_ != UpdateState::applied && changes.empty()) let_go();
  record_.settle([&](UpdateReport& report) {
    report.state = *settled_;
    report.code.reset();
    report.reason.clear();
    if (trouble_) {
      report.code = trouble_->code;
      report.reason = std::move(trouble_->reason);
    }
    report.changes = std::move(changes);
    report.warnings = std::move(warnings);
    report.all_pauses = all_pauses;
  });
}

void UpdateRun::roll_back(ChangeArbiter& arbiter, Deadline deadline) {
  {
    Transaction::Scope scope(*transaction_);
    undo_changes_or_throw(*transaction_, {.stop_timeout = patience_.stop_timeout, .deadline = deadline});
  }
  arbiter.count_change();
  recorder_.record(*transaction_, EventKind::update_rolled_back);
  settle(UpdateState::rolled_back);
  release();
}

}  // namespace moult::internal
