// Submissions: the record of the updates that an entry function submits to managers. Also dry runs.
//
// A manager that is made in a dry run is known to that dry run only. It does not take its name, so that what was
// checked can be applied afterwards.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/untracked_change.hpp"
#include "moult/manager.hpp"

namespace moult::internal {

/// Leaves an entry function that would wait for an update in a dry run. What the function does next depends on the
/// update's result, and there will be none. It is no std::exception, so that an entry function that handles its errors
/// lets it pass.
struct DryRunLeft {
  std::string waited_for;
};

/// Collects the updates that are submitted to any manager by the threads in which it is current. One thread at a time
/// uses it.
class Submission final {
 public:
  enum class Mode {
    apply,  ///< the updates are queued as usual
    /// Nothing is queued, published or changed. Each update is prepared in a transaction of its own and destroyed.
    check,
  };
  /// `on_submit` is called with each update before its manager may carry it out.
  using OnSubmit = std::function<void(const UpdateHandle&)>;
  explicit Submission(Mode mode, OnSubmit on_submit = {})
      : mode_(mode),
        on_submit_(std::move(on_submit)),
        untracked_(mode == Mode::check ? UntrackedChanges::Mode::only_noted : UntrackedChanges::Mode::made) {}
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  /// This thread's, or null.
  static Submission* current() noexcept { return Current<Submission>::get(); }
  /// This thread's submission if it is a dry run, or null.
  static Submission* dry_run() noexcept {
    Submission* const submission = current();
    return submission != nullptr && submission->mode() == Mode::check ? submission : nullptr;
  }

  /// Makes `submission` this thread's current one for the scope's lifetime.
  class Scope final {
   public:
    explicit Scope(Submission& submission) noexcept : current_(submission), untracked_(submission.untracked_) {}

   private:
    Current<Submission>::Scope current_;
    UntrackedChanges::Scope untracked_;
  };

  Mode mode() const noexcept { return mode_; }
  void record(const UpdateHandle& handle) {
    handles_.push_back(handle);
    if (on_submit_) on_submit_(handle);
  }
  /// In the order of submission. In a dry run the ids are 0.
  const std::vector<UpdateHandle>& handles() const noexcept { return handles_; }
  /// The untracked changes that were made, or in a dry run would be made.
  const std::vector<std::string>& untracked_changes() const noexcept { return untracked_.lines(); }
  /// Warnings for the entry function itself, outside of its updates' steps.
  const std::vector<std::string>& warnings() const noexcept { return untracked_.warnings(); }
  /// The reports as they are now. In a dry run: queued if the check passed, otherwise refused with the reason.
  std::vector<UpdateReport> reports() const {
    std::vector<UpdateReport> all;
    for (const UpdateHandle& handle : handles_) all.push_back(handle.report());
    return all;
  }

  /// The dry run's managers, by name.
  std::map<std::string, AnyManager*, std::less<>>& managers() noexcept { return managers_; }
  /// Owns a manager for as long as this submission exists.
  ThreadedManager& keep(std::unique_ptr<ThreadedManager> manager) { return *kept_.emplace_back(std::move(manager)); }

 private:
  Mode mode_;
  OnSubmit on_submit_;
  UntrackedChanges untracked_;
  std::vector<UpdateHandle> handles_;
  std::map<std::string, AnyManager*, std::less<>> managers_;
  std::vector<std::unique_ptr<ThreadedManager>> kept_;
};

}  // namespace moult::internal
