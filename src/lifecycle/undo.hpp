// Taking a transaction back in a stopped program.
#pragma once

#include <chrono>
#include <optional>

#include "base/transaction.hpp"
#include "lifecycle/backoff.hpp"
#include "lifecycle/failure.hpp"

namespace moult::internal {

struct UndoBounds {
  /// Of one stop.
  std::chrono::milliseconds stop_timeout{1000};
  /// Of all tries together; there is at least one.
  Deadline deadline{};
};

/// After a failure. Stops the program unless `transaction` holds it stopped, asks every step whether it can be taken
/// back, and takes all back; when it cannot be, lets the program go on for a while and tries again, until the deadline.
/// Empty when nothing is in force any more, and then the program is left as it was found or stopped; otherwise the last
/// reason, the program runs and every change is still in force. Calls only what the steps brought.
std::optional<StepFailure> undo_changes(Transaction& transaction, const UndoBounds& bounds) noexcept;

/// The same on request, for an update that is in force: tries again only while a step's check says still_active or the
/// stop thread_unstoppable, throws whatever else is thrown, and leaves the program running.
void undo_changes_or_throw(Transaction& transaction, const UndoBounds& bounds);

}  // namespace moult::internal
