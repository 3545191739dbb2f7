// Changes that a mechanism makes at once because it was called outside of an update's steps. They are in no
// transaction: nobody can take them back, so they are told, and in a dry run they are not made.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/current.hpp"

namespace moult::internal {

/// What the threads in which it is current change outside of any update. Used by one thread at a time.
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
  /// A line each, as in an update's report.
  const std::vector<std::string>& lines() const noexcept { return lines_; }
  /// For `warn` (warning.hpp) alone.
  void add_warning(std::string text) { warnings_.push_back(std::move(text)); }
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  Mode mode_;
  std::vector<std::string> lines_;
  std::vector<std::string> warnings_;
};

/// Has `make` change the program. In a step of an update that is all; elsewhere an event tells what(), a line each, and
/// this thread's UntrackedChanges note it. Where these are only noted, `make` is not called, and a step that wants to
/// change something is refused; throws Error (invalid_argument). Lets what `make` throws through.
void change_untracked(const std::function<void()>& make, const std::function<std::vector<std::string>()>& what);

/// For a change whose result the caller goes on with, so that it cannot be left out: where changes are only noted,
/// throws Error (invalid_argument) that names `what`.
void require_changes_are_made(const std::string& what);

}  // namespace moult::internal
