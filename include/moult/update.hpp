// An update: the steps that a manager calls, and the report on the result.
//
//   class Greeting : public moult::Update {
//    public:
//     Greeting() : Update("greeting") {}
//     bool check_alterability() override { return moult::check_quiescence_of_function(&app::greet); }
//     void apply() override { moult::redefine_function(&app::greet, &greet_v2); }
//   };
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

/// A thread of this process, by its kernel number (gettid).
enum class ThreadId : std::int32_t {};

/// The calling thread's own id.
ThreadId this_thread_id() noexcept;

/// The answer of check_requirements: go on, ask again later (the update goes to the queue's tail), or drop the update.
enum class Requirements { met, not_yet, never };

/// How an update waits to become alterable, and how long until it is postponed.
struct Patience {
  /// The number of probes of an inline manager. For a wait, max_tries * sleep_time is the total deadline.
  int max_tries = 10;
  /// The longest sleep between two probes; waits begin with about 1 ms and back off to it.
  std::chrono::milliseconds sleep_time{1000};
  /// How long one stop of the program may take until every thread is at a safepoint.
  std::chrono::milliseconds stop_timeout{1000};
  /// After so many postponements the update fails with the reason of the last. Without a value, it is retried for ever.
  std::optional<int> max_postponements{};
};

/// One change of the running program. A manager calls the steps, each from one thread at a time, in this order:
///
/// prepare, check_requirements, preupdate_setup, wait_alterability (ThreadedManager) or check_alterability (Manager),
/// pause_hook, the pause, apply, preresume_setup, resume_hook, the program resumes, wait_over or check_over, cleanup.
///
/// When a step throws, the manager undoes what this update has done so far, resumes every thread, and goes on with the
/// next update. The thrown message is the reason. The update is refused after prepare or check_requirements, when
/// nothing was changed, and failed after any later step. From apply to resume_hook every other thread of the process
/// stands at a safepoint: these steps may allocate, but must not wait for another thread.
///
/// After Pymoult's Update (Martinez, Dagnat, Buisson, 2013-2015); prepare is moult's own.
class Update {
 public:
  /// `threads` are the threads concerned; empty means every thread. Mechanisms that check stacks take them.
  ///
  /// invalid_argument: the name is empty or holds control characters
  explicit Update(std::string name, std::vector<ThreadId> threads = {});
  virtual ~Update();
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

  const std::string& name() const noexcept { return name_; }
  const std::vector<ThreadId>& threads() const noexcept { return threads_; }
  const Patience& patience() const noexcept { return patience_; }
  /// Before the update is submitted to a manager.
  void set_patience(const Patience& patience) noexcept { patience_ = patience; }

  /// All work that can be refused: look up symbols, decode code, allocate. The program runs meanwhile; do not change
  /// it. A dry run (`moult check`) calls this step only.
  virtual void prepare() {}
  virtual Requirements check_requirements() { return Requirements::met; }
  virtual void preupdate_setup() {}
  /// Blocks until the program may be changed (true), or patience() has run out (false: postponed). It may leave the
  /// program stopped, as wait_quiescence_of_function does. The default probes check_alterability with patience().
  virtual bool wait_alterability();
  /// One probe of the same, without waiting. The default throws Error: an update must say when it may be applied.
  virtual bool check_alterability();
  /// Undoes what preupdate_setup did, before the update is postponed, or after it failed before the program resumed.
  virtual void clean_failed_alterability() {}
  virtual void pause_hook() {}
  /// Changes the program, with the mechanisms of relinking.hpp and other headers, which are undone when a later step
  /// throws.
  virtual void apply() = 0;
  virtual void preresume_setup() {}
  virtual void resume_hook() {}
  /// Blocks until the update has taken effect everywhere. False: not within patience(); the update fails and is undone.
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

/// The state of an update. The last five are final, except that an applied update can be rolled back.
enum class UpdateState {
  queued,       ///< waiting in the queue, for the first time or postponed
  active,       ///< between prepare and cleanup
  applied,      ///< its changes are active
  refused,      ///< prepare or check_requirements threw: nothing was changed
  failed,       ///< a later step threw: everything was undone
  aborted,      ///< its requirements can never be met, its manager stopped, or it was withdrawn
  rolled_back,  ///< was applied, and has been undone
};
std::string_view name_of(UpdateState state) noexcept;
/// Whether its manager has done with it. An applied update can still be rolled back.
constexpr bool is_ended(UpdateState state) noexcept {
  return state != UpdateState::queued && state != UpdateState::active;
}

/// What is known of an update, as of one moment.
struct UpdateReport {
  std::uint64_t id = 0;  ///< unique in the process, counted from 1
  std::string name;
  std::string manager;
  UpdateState state = UpdateState::queued;
  /// The reason of a refused, failed or aborted update; for a queued or active one, what it waits for or was postponed
  /// for.
  std::optional<ErrorCode> code;
  std::string reason;
  int postponements = 0;
  /// The changes that this update made, a line each, in the order they were made ("hello redefined as hello_v2").
  std::vector<std::string> changes;
  /// What could not be verified, a line each ("f: its library has no debug information, ...").
  std::vector<std::string> warnings;
  /// The stop in which apply ran; and the sum of all stops of the update, probes of alterability included.
  std::chrono::nanoseconds pause{};
  std::chrono::nanoseconds all_pauses{};
  /// Threads stopped for apply, without the manager's own.
  std::size_t threads = 0;
};

/// Follows one update that was submitted to a manager. Copies follow the same update. From any thread.
class UpdateHandle final {
 public:
  explicit UpdateHandle(std::shared_ptr<detail::OpaqueUpdateRun> run);

  std::uint64_t id() const;
  UpdateReport report() const;
  /// Blocks until the update is in a final state or `timeout` has passed, and reports. In a dry run (`moult check`) it
  /// leaves the file's entry once the checks have passed, by an exception that is not derived from std::exception.
  UpdateReport wait(std::chrono::milliseconds timeout) const;

 private:
  std::shared_ptr<detail::OpaqueUpdateRun> run_;
};

}  // namespace moult
#pragma GCC visibility pop
