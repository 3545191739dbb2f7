// An update: the steps a manager takes it through, and what became of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moult/detail/opaque.hpp"
#include "moult/error.hpp"

namespace moult::internal {
class UpdateRun;
}

#pragma GCC visibility push(default)
namespace moult {

/// A thread of this process, by the number the kernel gives it (gettid).
enum class ThreadId : std::int32_t {};

/// The calling thread's own id.
ThreadId this_thread_id() noexcept;

/// Answer of check_requirements: go on, ask again later (the update goes to the queue's tail), or drop the update.
enum class Requirements { met, not_yet, never };

/// How long an update tries to become alterable before it is postponed, and how it waits.
struct Patience {
  /// Probes of an inline manager; for a wait, max_tries * sleep_time is the deadline as a whole.
  int max_tries = 10;
  /// The longest sleep between two probes; waits begin at about 1 ms and back off to this.
  std::chrono::milliseconds sleep_time{1000};
  /// How long one stop of the program may take to find every thread at a safe place.
  std::chrono::milliseconds stop_timeout{1000};
  /// After that many postponements the update fails with the reason of the last; none: it is tried for ever.
  std::optional<int> max_postponements{};
};

/// One change of the running program. A manager calls the steps, each at most from one thread at a time, in this order:
///
/// prepare, check_requirements, preupdate_setup, wait_alterability (ThreadedManager) or check_alterability (Manager),
/// pause_hook, the pause, apply, preresume_setup, resume_hook, the program resumes, wait_over or check_over, cleanup.
///
/// A throw from any step undoes what this update has done so far, resumes every thread, marks the update refused (from
/// prepare or check_requirements: nothing was touched) or failed (from any later step) with the thrown message as the
/// reason, and the manager goes on with the next update. From apply to resume_hook every other thread of the process is
/// stopped at a safe place: these steps may allocate, but must not wait for another thread.
///
/// After Pymoult's Update (Martinez, Dagnat, Buisson, 2013-2015); prepare is moult's own.
class Update {
 public:
  /// `threads` are those the update is about; empty means every thread. Mechanisms that look at stacks take them.
  /// Throws Error (invalid_argument) when the name is empty or holds control characters.
  explicit Update(std::string name, std::vector<ThreadId> threads = {});
  virtual ~Update();
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::vector<ThreadId>& threads() const noexcept { return threads_; }
  const Patience& patience() const noexcept { return patience_; }
  /// Call it before the update is handed to a manager.
  void set_patience(const Patience& patience) noexcept { patience_ = patience; }

  /// Everything that may be refused: look up symbols, decode code, allocate. The program runs meanwhile and must not be
  /// changed. Also all that a dry run (`moult check`) calls.
  virtual void prepare() {}
  virtual Requirements check_requirements() { return Requirements::met; }
  virtual void preupdate_setup() {}
  /// Blocks until the program may be changed (true) or patience() has run out (false: postponed). It may leave the
  /// program stopped, as wait_quiescence_of_function does. The default probes check_alterability with patience().
  virtual bool wait_alterability();
  /// One probe of the same, without waiting. The default throws Error: an update must say when it may be applied.
  virtual bool check_alterability();
  /// Takes back what preupdate_setup did, before the update is postponed, or after it failed before the program
  /// resumed.
  virtual void clean_failed_alterability() {}
  virtual void pause_hook() {}
  /// Changes the program, with the mechanisms of relinking.hpp and others, which undo themselves when a later step
  /// throws.
  virtual void apply() = 0;
  virtual void preresume_setup() {}
  virtual void resume_hook() {}
  /// Blocks until the update has taken effect everywhere; false: not within patience(), the update fails and is undone.
  /// The default probes check_over.
  virtual bool wait_over();
  virtual bool check_over() { return true; }
  virtual void cleanup() {}

 private:
  friend class internal::UpdateRun;  // gives an update without threads those of its manager

  std::string name_;
  std::vector<ThreadId> threads_;
  Patience patience_;
};

/// Where an update stands. The last five are final but for applied, from which it can be rolled back.
enum class UpdateState {
  queued,       ///< waiting for its turn, for the first time or postponed
  active,       ///< between prepare and cleanup
  applied,      ///< in force
  refused,      ///< prepare or check_requirements threw: nothing was touched
  failed,       ///< a later step threw: everything was put back
  aborted,      ///< its requirements can never be met, its manager stopped, or it was withdrawn
  rolled_back,  ///< was applied, and has been taken back
};
std::string_view name_of(UpdateState state) noexcept;

/// What is known of an update. A value: it does not change after it was taken.
struct UpdateReport {
  std::uint64_t id = 0;  ///< unique in the process, counted from 1
  std::string name;
  std::string manager;
  UpdateState state = UpdateState::queued;
  /// Of a refused, failed or aborted update; of a queued or active one, what it waits for or was last postponed for.
  std::optional<ErrorCode> code;
  std::string reason;
  int postponements = 0;
  /// What is in force because of it, a line each, in the order it was done ("hello redefined as hello_v2").
  std::vector<std::string> changes;
  /// What could not be made sure of, a line each ("f: its library has no debug information, ...").
  std::vector<std::string> warnings;
  /// The stop in which apply ran; and all stops of the update together, probes of alterability included.
  std::chrono::nanoseconds pause{};
  std::chrono::nanoseconds all_pauses{};
  /// Threads stopped for apply, the manager's own not counted.
  std::size_t threads = 0;
};

/// Follows one update that was handed to a manager. Copies follow the same update; usable from any thread.
class UpdateHandle final {
 public:
  explicit UpdateHandle(std::shared_ptr<detail::OpaqueUpdateRun> run);

  std::uint64_t id() const;
  UpdateReport report() const;
  /// Blocks until the update is in a final state or `timeout` has passed, and reports. In a dry run (`moult check`) of
  /// an update against which nothing stands it leaves the file's entry, by an exception that is no std::exception.
  UpdateReport wait(std::chrono::milliseconds timeout) const;

 private:
  std::shared_ptr<detail::OpaqueUpdateRun> run_;
};

}  // namespace moult
#pragma GCC visibility pop
