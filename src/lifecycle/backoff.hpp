// Waits with a deadline, for conditions that have no event: probe, sleep a little, probe again.
#pragma once

#include <chrono>
#include <optional>

namespace moult::internal {

using Deadline = std::chrono::steady_clock::time_point;

/// Now plus `timeout`, which counts as a year at most: milliseconds::max() then means "for ever" and does not overflow.
Deadline deadline_after(std::chrono::milliseconds timeout) noexcept;

/// The time left until `deadline`, at least zero.
std::chrono::milliseconds time_left(Deadline deadline) noexcept;

/// Sleeps that begin at one millisecond and double up to `longest`.
class Backoff final {
 public:
  Backoff(std::chrono::milliseconds longest, Deadline deadline) noexcept;

  /// When the next try is due, at most at the deadline; nothing if that has passed.
  std::optional<Deadline> next();
  /// Sleeps until then. Returns false, without sleeping, if the deadline has passed.
  bool sleep();

 private:
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds next_{1};
  Deadline deadline_;
};

}  // namespace moult::internal
