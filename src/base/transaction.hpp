// What one update has done to the program, and how to take it back.
//
// Mechanisms record each change here as they commit it; the lifecycle decides when to undo. Neither knows the other.
// A transaction is used by one thread at a time: the one that carries out the update's step. Mechanisms find it as
// Transaction::current().
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
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
  /// The stopped threads as "name (id)". Allocates: not where the pause matters.
  virtual std::vector<std::string> thread_names() const = 0;
  virtual std::size_t thread_count() const noexcept = 0;
  /// Lets the program run ahead of the destructor, which still has to tidy up; nothing else is called in between.
  virtual void release() noexcept {}
};

/// Stops the program, within `timeout`. Declared here, defined by the runtime that is linked: the native one in
/// threads/. Throws Error: thread_unstoppable, naming the thread and the frame that held it up; the program runs on
/// then.
std::unique_ptr<Suspension> suspend_program(std::chrono::milliseconds timeout);

/// One change and its way back. All calls are made with the transaction as the current one, `check` and `undo` in a
/// stopped program.
struct UndoStep {
  std::vector<std::string> what;  ///< for the reader, a line each: "hello redefined as hello_v2"
  /// What takes long, ahead of the stop; left out where the program is stopped already, or nothing of the change can
  /// have been used yet. Throws Error when the change can never be taken back. May be empty.
  std::function<void()> prepare = nullptr;
  std::function<void()> check;  ///< throws Error when the change cannot be taken back now (still_active); may be empty
  std::function<void()> undo;   ///< takes it back; does not throw
};

class Transaction final {
 public:
  Transaction() = default;
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// The transaction of the update whose step this thread is carrying out, or null.
  static Transaction* current() noexcept { return Current<Transaction>::get(); }

  /// Makes `transaction` this thread's current one for the scope's life.
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

  /// The id of its update; 0 for one that is only checked.
  std::uint64_t update() const noexcept { return update_; }
  void set_update(std::uint64_t id) noexcept { update_ = id; }

  /// Recorded before the change is committed, so that an allocation that fails leaves nothing half done.
  void add(UndoStep step);
  const std::vector<UndoStep>& steps() const noexcept { return steps_; }
  /// What all steps say; equal neighbours as one line, "... converted, 42 times".
  std::vector<std::string> changes() const;

  /// The program is stopped until resume().
  void hold(std::unique_ptr<Suspension> suspension) noexcept;
  Suspension* suspension() const noexcept { return suspension_.get(); }
  /// Resumes the program; nothing when it runs.
  void resume() noexcept;
  /// `act` is called once at the end of this stop, when nothing can fail any more; undo_all drops it. It does not
  /// throw. What it adds in turn is called after it. Only while the program is stopped.
  void before_resume(std::function<void()> act);
  /// `act` is called once when the program runs again, at once if it runs now; it does not throw.
  void after_resume(std::function<void()> act);
  /// `act` is called once when this attempt needs nothing more of the program: it runs again after apply, or the
  /// attempt ended before that (postponed, failed, aborted). Whatever a mechanism holds back for the attempt it lets go
  /// there. It does not throw.
  void on_attempt_end(std::function<void()> act);
  /// Calls them. The lifecycle does, and the destructor.
  void end_attempt() noexcept;
  /// `run_pause(steps)` calls `steps()` once, in whatever thread, and throws what that threw: the steps from the pause
  /// to the resume are then carried out so for this attempt. Not where the program is stopped before them: whoever has
  /// stopped it carries them out.
  using PauseRunner = std::function<void(const std::function<void()>& steps)>;
  void run_pause_on(PauseRunner run_pause) { pause_runner_ = std::move(run_pause); }
  void run_pause(const std::function<void()>& steps);
  /// Whether a step is being called, from the first step to the last of what is done in one go. An inline update is in
  /// nobody's hand between two probes. From any thread.
  bool is_in_hand() const noexcept { return scopes_.load() > 0; }
  /// A stop that a mechanism made and ended by itself.
  void record_pause(std::chrono::nanoseconds length, std::size_t threads) noexcept;
  std::chrono::nanoseconds last_pause() const noexcept { return last_pause_; }
  std::chrono::nanoseconds all_pauses() const noexcept { return all_pauses_; }
  std::size_t last_thread_count() const noexcept { return last_thread_count_; }

  /// Why the update could not go on, said by a mechanism that answers with false ("hello is active in worker (12):
  /// ...").
  void set_reason(std::string reason);
  const std::string& reason() const noexcept { return reason_; }
  /// `hear` is called with every reason as it is set: a wait says what it waits for while it lasts. It does not throw.
  void hear_reasons(std::function<void(const std::string&)> hear) { hear_reason_ = std::move(hear); }

  /// For `warn` (warning.hpp) alone. False when the same text is there already.
  bool add_warning(const std::string& text);
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  /// Calls every step's prepare. Throws what the first failing one throws.
  void prepare_undo() const;
  /// Calls every step's check. Program stopped. Throws what the first failing one throws.
  void check_undo() const;
  /// Undoes every step, the last one first, and forgets them. Program stopped.
  void undo_all() noexcept;

 private:
  std::uint64_t update_ = 0;
  std::vector<UndoStep> steps_;
  std::unique_ptr<Suspension> suspension_;
  std::vector<std::function<void()>> before_resume_;
  std::vector<std::function<void()>> after_resume_;
  std::vector<std::function<void()>> on_attempt_end_;
  PauseRunner pause_runner_;
  std::atomic<int> scopes_{0};
  std::string reason_;
  std::function<void(const std::string&)> hear_reason_;
  std::vector<std::string> warnings_;
  std::chrono::nanoseconds last_pause_{};
  std::chrono::nanoseconds all_pauses_{};
  std::size_t last_thread_count_ = 0;
};

}  // namespace moult::internal
