// Undoing a transaction in a stopped program.
#pragma once

#include <chrono>
#include <optional>

#include "base/transaction.hpp"
#include "lifecycle/backoff.hpp"
#include "lifecycle/failure.hpp"

namespace moult::internal {

struct UndoBounds {
  /// For one stop.
  std::chrono::milliseconds stop_timeout{1000};
  /// For all tries together; there is at least one.
  Deadline deadline{};
};

/// Undoes a failed update. Stops the program unless `transaction` has it stopped, asks every step whether it can be
/// undone, and undoes all. If a step refuses, resumes the program for a while and tries again, until the deadline.
/// Returns nothing if no change is left; the program is then running or stopped as it was, or stopped by this call.
/// Otherwise returns the last reason; the program runs and every change is still there. Throws nothing and calls only
/// the steps' functions.
std::optional<StepFailure> undo_changes(Transaction& transaction, const UndoBounds& bounds) noexcept;

/// Undoes an applied update on request. Tries again only if a step's check throws still_active or the stop throws
/// thread_unstoppable. Throws anything else that is thrown, and leaves the program running.
void undo_changes_or_throw(Transaction& transaction, const UndoBounds& bounds);

}  // namespace moult::internal
