// One update being carried out: the order of its steps, and what happens when one throws.
//
// Why: all managers share this order. They differ only in whether they wait for an answer or come back for it.
//
// How: an attempt goes from prepare to an end: applied, postponed, refused, failed or aborted. Every step is called
// through `call`, with the transaction as the current one. `guarded` is the one place that catches what a step throws;
// `fail` then undoes the changes, resumes the program, cleans up and reports. docs/lifecycle.md has the table.
//
// Limits: what an update changes by itself, without moult's mechanisms, is not in its transaction and is not undone.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/code_record.hpp"
#include "base/transaction.hpp"
#include "lifecycle/change_token.hpp"
#include "lifecycle/event_recorder.hpp"
#include "lifecycle/failure.hpp"
#include "lifecycle/run_record.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// The result of a call. Pending: call again (inline managers only). Postponed: put it at the queue's tail. Ended: it
/// is in a final state, or was withdrawn while it waited.
enum class RunStatus { pending, postponed, ended };

class UpdateRun final : public detail::OpaqueUpdateRun {
 public:
  /// `default_threads` become the update's threads if it names none.
  UpdateRun(std::uint64_t id, std::string manager, std::unique_ptr<Update> update,
            const std::vector<ThreadId>& default_threads);

  // From any thread.
  std::uint64_t id() const noexcept { return id_; }
  const std::string& name() const noexcept { return name_; }
  const RunRecord& record() const noexcept { return record_; }
  /// False while the thread that submits it still tells of that. Until then it keeps its place in the queue and is not
  /// carried out.
  bool is_announced() const noexcept { return is_announced_.load(); }
  void announce() noexcept { is_announced_.store(true); }
  /// See RunRecord::withdraw.
  bool withdraw() noexcept { return record_.withdraw(); }
  /// While this is set, an attempt ends before it changes the program, and the update is aborted; so it is after a
  /// postponement. Wake the arbiter's waiting threads after setting it.
  void set_to_withdraw(bool is_to_withdraw) noexcept { is_to_withdraw_.store(is_to_withdraw); }

  /// Of two applied updates, the one that changed the program later has the greater number. Once it is settled.
  std::uint64_t change_number() const noexcept { return change_number_; }

  // From the one thread that carries the update out. What the update throws, and a lack of memory, end in the report.

  /// One attempt from prepare to its end, waiting for answers. Releases `token` at the end of the pause.
  RunStatus carry_out(ChangeArbiter& arbiter, ChangeToken token) noexcept;
  /// The same without waiting, over several calls: the first call sets up and probes, later ones only probe. Every call
  /// may reach the end. Needs a token while `needs_token`.
  RunStatus probe(ChangeArbiter& arbiter, ChangeToken token) noexcept;
  bool needs_token() const noexcept { return phase_ != Phase::in_effect; }
  /// How long a postponed update waits before its next attempt.
  std::chrono::milliseconds sleep_time() const noexcept { return patience_.sleep_time; }
  /// The update will not be carried out: undoes what it has begun.
  void abort(ChangeArbiter& arbiter, const std::string& reason) noexcept;
  /// Calls only prepare, in a transaction of its own, and publishes nothing. The state is then queued if the check
  /// passed, else refused.
  void check();

  /// Rolls an applied update back. The caller holds the token. Throws Error as moult::roll_back does.
  void roll_back(ChangeArbiter& arbiter, Deadline deadline);

 private:
  /// The state of an attempt between two probes.
  enum class Phase { not_begun, set_up, in_effect };

  RunStatus guarded(ChangeArbiter& arbiter, ChangeToken token, const std::function<RunStatus()>& body);
  RunStatus fail_safely(const std::exception_ptr& error) noexcept;
  template <class Call>
  decltype(auto) call(const char* step, Call&& make_call);
  void quietly(const char* step, const std::function<void()>& make_call) noexcept;

  std::optional<RunStatus> set_up();
  void tell_what_it_waits_for(const std::string& reason);
  void prepare();
  void begin_again();
  bool is_alterable();
  bool wait_alterability();
  bool rest(Deadline deadline, const Transaction::Sleep& sleep);
  RunStatus end_withdrawn();
  void change();
  void stop_and_change(std::thread::id caller);
  void pause();
  void step_in_pause();
  void note_end_of_pause();
  RunStatus see_whether_over();
  RunStatus finish();

  RunStatus not_alterable();
  void clean_failed_alterability();
  RunStatus postpone(EventKind kind, const std::string& reason);
  RunStatus fail(const std::exception_ptr& error);
  RunStatus fail_with(UpdateState state, EventKind kind, StepFailure failure);
  void leave_stop();
  bool never_ran_changed() const noexcept;
  std::optional<StepFailure> undo_everything();
  void clean_up_quietly() noexcept;
  RunStatus settle(UpdateState state, std::optional<StepFailure> failure = {}) noexcept;
  std::vector<std::string> lines_of_changes() noexcept;
  void release() noexcept;
  void destroy_update();

  const std::uint64_t id_;
  std::atomic<bool> is_announced_{false};
  std::atomic<bool> is_to_withdraw_{false};
  const std::string name_;
  const std::string manager_;
  RunRecord record_;
  EventRecorder recorder_;
  CodeRecord steps_code_;
  std::unique_ptr<Update> update_;
  std::optional<Transaction> transaction_{std::in_place};
  Patience patience_;

  Phase phase_ = Phase::not_begun;
  const char* step_ = "";        ///< the step being called
  bool touched_ = false;         ///< preupdate_setup was begun: an exception is a failure, no refusal
  bool needs_cleaning_ = false;  ///< neither clean_failed_alterability nor cleanup was begun since then
  bool hook_open_ = false;       ///< pause_hook has returned and resume_hook was not begun
  int tries_ = 0;
  int postponements_ = 0;
  std::size_t steps_before_pause_ = 0;
  std::optional<std::chrono::steady_clock::time_point> pause_began_;
  std::uint64_t changes_seen_ = 0;
  std::uint64_t change_number_ = 0;
  bool has_lost_turn_ = false;  ///< while it waited, another update changed the program
  std::optional<UpdateState> settled_;
  std::optional<StepFailure> failure_;
  std::vector<std::string> unlisted_{"changes that there was no memory to list"};
  ChangeArbiter* arbiter_ = nullptr;  ///< during a call of the manager
  ChangeToken token_;
};

}  // namespace moult::internal
