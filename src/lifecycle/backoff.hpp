// Waiting with a deadline where there is no event to wait for: probe, sleep a little, probe again.
#pragma once

#include <chrono>

namespace moult::internal {

using Deadline = std::chrono::steady_clock::time_point;

/// Now and `timeout`; a year at most, so that milliseconds::max() means "for ever" instead of overflowing.
Deadline deadline_after(std::chrono::milliseconds timeout) noexcept;

/// What is left until `deadline`, not below zero.
std::chrono::milliseconds time_left(Deadline deadline) noexcept;

/// Sleeps that begin at one millisecond and double up to `longest`.
class Backoff final {
 public:
  Backoff(std::chrono::milliseconds longest, Deadline deadline) noexcept;

  /// Sleeps, not beyond the deadline; false, without sleeping, when it has passed.
  bool sleep();

 private:
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds next_{1};
  Deadline deadline_;
};

}  // namespace moult::internal
