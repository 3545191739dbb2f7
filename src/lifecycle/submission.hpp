// Who listens to what a thread hands to managers: which updates came from this entry function, and dry runs.
//
// A manager that a dry run makes is known to that dry run only: its name is not taken, so that what was checked can be
// applied afterwards.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/untracked_change.hpp"
#include "moult/manager.hpp"

namespace moult::internal {

/// Thrown to leave an entry in a dry run where it would wait for an update: what it does then hangs on what came of the
/// update, and nothing will come of it. No std::exception, so that an entry that handles its errors lets it through.
struct DryRunLeft {
  std::string waited_for;
};

/// Collects the updates handed to any manager by the threads in which it is current. Used by one thread at a time.
class Submission final {
 public:
  enum class Mode {
    apply,  ///< the updates are queued as ever
    /// Nothing is queued, told or changed: each update is prepared in a transaction of its own and destroyed.
    check,
  };
  explicit Submission(Mode mode)
      : mode_(mode),
        untracked_(mode == Mode::check ? UntrackedChanges::Mode::only_noted : UntrackedChanges::Mode::made) {}
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  /// This thread's, or null.
  static Submission* current() noexcept { return Current<Submission>::get(); }
  /// This thread's if it is a dry run, or null.
  static Submission* dry_run() noexcept {
    Submission* const submission = current();
    return submission != nullptr && submission->mode() == Mode::check ? submission : nullptr;
  }

  /// Makes `submission` this thread's current one for the scope's life.
  class Scope final {
   public:
    explicit Scope(Submission& submission) noexcept : current_(submission), untracked_(submission.untracked_) {}

   private:
    Current<Submission>::Scope current_;
    UntrackedChanges::Scope untracked_;
  };

  Mode mode() const noexcept { return mode_; }
  void record(const UpdateHandle& handle) { handles_.push_back(handle); }
  /// In the order they were handed in. Their ids are 0 in a dry run.
  const std::vector<UpdateHandle>& handles() const noexcept { return handles_; }
  /// What was changed, or would be, without an update.
  const std::vector<std::string>& untracked_changes() const noexcept { return untracked_.lines(); }
  /// What the entry function was warned of, outside of its updates' steps.
  const std::vector<std::string>& warnings() const noexcept { return untracked_.warnings(); }
  /// What stands now. In a dry run: queued where nothing stands against the update, refused with the reason otherwise.
  std::vector<UpdateReport> reports() const {
    std::vector<UpdateReport> all;
    for (const UpdateHandle& handle : handles_) all.push_back(handle.report());
    return all;
  }

  /// The managers of a dry run, by name.
  std::map<std::string, AnyManager*, std::less<>>& managers() noexcept { return managers_; }
  /// Keeps a manager for as long as this lasts.
  ThreadedManager& keep(std::unique_ptr<ThreadedManager> manager) { return *kept_.emplace_back(std::move(manager)); }

 private:
  Mode mode_;
  UntrackedChanges untracked_;
  std::vector<UpdateHandle> handles_;
  std::map<std::string, AnyManager*, std::less<>> managers_;
  std::vector<std::unique_ptr<ThreadedManager>> kept_;
};

}  // namespace moult::internal
