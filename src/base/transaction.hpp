// What one update has done to the program, and how to undo it.
//
// Mechanisms record each change here as they commit it. The lifecycle decides when to undo them. Neither knows the
// other. One thread at a time uses a transaction: the one that carries out the update's step. Mechanisms find it as
// Transaction::current().
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/current.hpp"

namespace moult::internal {

/// Every other thread of the program is stopped at a safepoint for as long as this lives.
class Suspension {
 public:
  Suspension() = default;
  virtual ~Suspension() = default;
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  /// When the first thread was asked to stop.
  virtual std::chrono::steady_clock::time_point began() const noexcept = 0;
  /// The stopped threads as "name (id)". Allocates, so do not call it where the pause's length matters.
  virtual std::vector<std::string> thread_names() const = 0;
  virtual std::size_t thread_count() const noexcept = 0;
  /// Resumes the program before the destructor runs, which still has to tidy up. Nothing is called in between.
  virtual void release() noexcept {}
};

/// Stops the program within `timeout`. Declared here and defined by the linked runtime; the native one is in threads/.
/// Throws Error (thread_unstoppable), naming the thread and its frames; the program runs again then.
std::unique_ptr<Suspension> suspend_program(std::chrono::milliseconds timeout);

/// One change and its undo. All functions are called with the transaction as the current one, `check` and `undo` in a
/// stopped program.
struct UndoStep {
  std::vector<std::string> what;  ///< one line per change: "hello redefined as hello_v2"
  /// The slow part, called before the stop. Not called if the program is stopped already, or if no thread can have used
  /// the change yet. Throws Error if the change can never be undone. May be empty.
  std::function<void()> prepare = nullptr;
  std::function<void()> check;  ///< throws Error if the change cannot be undone now (still_active); may be empty
  std::function<void()> undo;   ///< undoes the change; does not throw
};

class Transaction final {
 public:
  Transaction() = default;
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// The transaction of the update whose step this thread carries out, or null.
  static Transaction* current() noexcept { return Current<Transaction>::get(); }

  /// Makes `transaction` this thread's current one for the scope's lifetime.
  class Scope final {
   public:
    explicit Scope(Transaction& transaction) noexcept;
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Transaction& transaction_;
    Current<Transaction>::Scope current_;
  };

  /// The id of its update; 0 for an update that is only checked.
  std::uint64_t update() const noexcept { return update_; }
  void set_update(std::uint64_t id) noexcept { update_ = id; }

  /// Call it before the change is committed. An allocation that fails then leaves nothing half done.
  void add(UndoStep step);
  const std::vector<UndoStep>& steps() const noexcept { return steps_; }
  /// The lines of all steps. Equal neighbours become one line: "... converted, 42 times".
  std::vector<std::string> changes() const;

  /// The program is stopped until resume().
  void hold(std::unique_ptr<Suspension> suspension) noexcept;
  Suspension* suspension() const noexcept { return suspension_.get(); }
  /// Resumes the program. Does nothing if the program runs.
  void resume() noexcept;
  /// `act` is called once at the end of this stop, when nothing can fail any more; undo_all drops it. It must not
  /// throw. Acts that it adds are called after it. Only while the program is stopped.
  void before_resume(std::function<void()> act);
  /// `act` is called once when the program runs again, or at once if it runs now. It must not throw.
  void after_resume(std::function<void()> act);
  /// `act` is called once at the end of this attempt: after apply, when the program runs again, or when the attempt was
  /// postponed, has failed or was aborted. A mechanism releases there what it holds for the attempt. It must not throw.
  void on_attempt_end(std::function<void()> act);
  /// Calls the functions given to on_attempt_end. The lifecycle and the destructor call it.
  void end_attempt() noexcept;
  /// Runs the next pause in another thread: `runner(steps)` must call `steps()` once, in any thread, and throw what
  /// that throws. `steps` are the steps from pause to resume. If the program is stopped already, the runner is not
  /// used: the thread that has stopped the program carries the steps out.
  using PauseRunner = std::function<void(const std::function<void()>& steps)>;
  void run_pause_on(PauseRunner run_pause) { pause_runner_ = std::move(run_pause); }
  void run_pause(const std::function<void()>& steps);
  /// Whether a thread is inside a step of the update. Between two probes of an inline update, no thread is. From any
  /// thread.
  bool is_in_hand() const noexcept { return scopes_.load() > 0; }
  /// Sleeps for a mechanism that waits until the program can be changed: calls `sleep(until)` until that returns true,
  /// because what it waits for may have come, or `deadline` has passed. Meanwhile other updates may be carried out.
  /// False when this attempt is to end; then the mechanism answers false at once. Only while the program runs.
  using Sleep = std::function<bool(std::chrono::steady_clock::time_point until)>;
  bool rest(std::chrono::steady_clock::time_point deadline, const Sleep& sleep);
  /// `rest` calls `rests` in place of `sleep`. The lifecycle sets it for a step in which the update may lose its turn.
  void rest_by(std::function<bool(std::chrono::steady_clock::time_point deadline, const Sleep& sleep)> rests) {
    rests_ = std::move(rests);
  }
  /// Records a stop that a mechanism made and ended by itself.
  void record_pause(std::chrono::nanoseconds length, std::size_t threads) noexcept;
  std::chrono::nanoseconds last_pause() const noexcept { return last_pause_; }
  std::chrono::nanoseconds all_pauses() const noexcept { return all_pauses_; }
  std::size_t last_thread_count() const noexcept { return last_thread_count_; }

  /// Why the update cannot continue, set by a mechanism that answers with false ("hello is active in worker (12):
  /// ...").
  void set_reason(std::string reason);
  const std::string& reason() const noexcept { return reason_; }
  /// `hear` is called with every reason as it is set, so that a report can show what a wait is waiting for. It must not
  /// throw.
  void hear_reasons(std::function<void(const std::string&)> hear) { hear_reason_ = std::move(hear); }

  /// Only `warn` (warning.hpp) calls it. False if the same text is there already.
  bool add_warning(const std::string& text);
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }
  std::vector<std::string> take_warnings() noexcept { return std::exchange(warnings_, {}); }

  /// Calls every step's prepare. Throws what the first failing step throws.
  void prepare_undo() const;
  /// Calls every step's check. The program is stopped. Throws what the first failing step throws.
  void check_undo() const;
  /// Undoes every step, the last one first, and forgets the steps. The program is stopped.
  void undo_all() noexcept;

 private:
  std::uint64_t update_ = 0;
  std::vector<UndoStep> steps_;
  std::unique_ptr<Suspension> suspension_;
  std::vector<std::function<void()>> before_resume_;
  std::vector<std::function<void()>> after_resume_;
  std::vector<std::function<void()>> on_attempt_end_;
  PauseRunner pause_runner_;
  std::function<bool(std::chrono::steady_clock::time_point, const Sleep&)> rests_;
  std::atomic<int> scopes_{0};
  std::string reason_;
  std::function<void(const std::string&)> hear_reason_;
  std::vector<std::string> warnings_;
  std::chrono::nanoseconds last_pause_{};
  std::chrono::nanoseconds all_pauses_{};
  std::size_t last_thread_count_ = 0;
};

}  // namespace moult::internal
