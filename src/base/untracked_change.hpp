// Untracked changes: a mechanism was called outside of an update's steps, for example by an update's entry function,
// and makes its change at once. No transaction has the change, so it cannot be rolled back. It is logged instead, and
// in a dry run it is not made.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/current.hpp"

namespace moult::internal {

/// The untracked changes of the threads in which it is current. One thread at a time uses it.
class UntrackedChanges final {
 public:
  enum class Mode { made, only_noted };
  explicit UntrackedChanges(Mode mode) noexcept : mode_(mode) {}
  UntrackedChanges(const UntrackedChanges&) = delete;
  UntrackedChanges& operator=(const UntrackedChanges&) = delete;

  /// This thread's, or null.
  static UntrackedChanges* current() noexcept { return Current<UntrackedChanges>::get(); }
  using Scope = Current<UntrackedChanges>::Scope;

  Mode mode() const noexcept { return mode_; }
  void note(std::string line) { lines_.push_back(std::move(line)); }
  /// One line per change, as in an update's report.
  const std::vector<std::string>& lines() const noexcept { return lines_; }
  /// Only `warn` (warning.hpp) calls it.
  void add_warning(std::string text) { warnings_.push_back(std::move(text)); }
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  Mode mode_;
  std::vector<std::string> lines_;
  std::vector<std::string> warnings_;
};

/// Calls `make`, which changes the program. In a step of an update that is all. Elsewhere an event with each line of
/// what() is published, and this thread's UntrackedChanges record it. In Mode::only_noted `make` is not called; a step
/// that calls this then gets Error (invalid_argument). Passes on what `make` throws.
void change_untracked(const std::function<void()>& make, const std::function<std::vector<std::string>()>& what);

/// For a change whose result the caller uses, so that it cannot be left out. In Mode::only_noted it throws Error
/// (invalid_argument) that names `what`.
void require_changes_are_made(const std::string& what);

}  // namespace moult::internal
