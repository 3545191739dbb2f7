#include "lifecycle/undo.hpp"

#include <algorithm>
#include <optional>

namespace moult::internal {
namespace {

constexpr std::chrono::milliseconds longest_sleep{50};

void try_undo(Transaction& transaction, std::chrono::milliseconds stop_timeout) {
  if (transaction.suspension() == nullptr) {
    transaction.prepare_undo();
    transaction.hold(suspend_program(stop_timeout));
  }
  transaction.check_undo();
  transaction.undo_all();
}

/// A stop may take the time that is left, but always enough to have a chance.
std::chrono::milliseconds next_stop(const UndoBounds& bounds) {
  return std::clamp(time_left(bounds.deadline), std::chrono::milliseconds(1), bounds.stop_timeout);
}

}  // namespace

std::optional<StepFailure> undo_changes(Transaction& transaction, const UndoBounds& bounds) noexcept {
  if (transaction.steps().empty()) return std::nullopt;
  Backoff backoff(longest_sleep, bounds.deadline);
  for (;;) {
    std::exception_ptr error;
    try {
      try_undo(transaction, next_stop(bounds));
      return std::nullopt;
    } catch (...) {
      error = std::current_exception();
    }
    transaction.resume();
    if (!backoff.sleep()) return describe_safely(error, "an undo step's check");
  }
}

namespace {

/// Whether waiting may help: threads may leave the code, or the place where they cannot be stopped.
bool may_pass(ErrorCode code) { return code == ErrorCode::still_active || code == ErrorCode::thread_unstoppable; }

}  // namespace

void undo_changes_or_throw(Transaction& transaction, const UndoBounds& bounds) {
  Backoff backoff(longest_sleep, bounds.deadline);
  std::optional<Error> active;  // the reason, if the deadline ends the last stop early
  for (;;) {
    try {
      try_undo(transaction, next_stop(bounds));
      transaction.resume();
      return;
    } catch (const Error& error) {
      transaction.resume();
      if (error.code() == ErrorCode::still_active) active = error;
      if (!may_pass(error.code())) throw;
      if (backoff.sleep()) continue;
      if (active) throw Error(*active);
      throw;
    } catch (...) {
      transaction.resume();
      throw;
    }
  }
}

}  // namespace moult::internal
