#include "lifecycle/backoff.hpp"

#include <algorithm>
#include <thread>

namespace moult::internal {

Deadline deadline_after(std::chrono::milliseconds timeout) noexcept {
  constexpr std::chrono::milliseconds year = std::chrono::hours(24 * 365);
  return std::chrono::steady_clock::now() + std::clamp(timeout, std::chrono::milliseconds::zero(), year);
}

std::chrono::milliseconds time_left(Deadline deadline) noexcept {
  Deadline now = std::chrono::steady_clock::now();
  if (now >= deadline) return std::chrono::milliseconds::zero();
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
}

Backoff::Backoff(std::chrono::milliseconds longest, Deadline deadline) noexcept
    : longest_(std::max(longest, std::chrono::milliseconds(1))), deadline_(deadline) {}

std::optional<Deadline> Backoff::next() {
  const Deadline now = std::chrono::steady_clock::now();
  if (now >= deadline_) return std::nullopt;
  const Deadline next = std::min<Deadline>(now + next_, deadline_);
  next_ = std::min(next_ * 2, longest_);
  return next;
}

bool Backoff::sleep() {
  const std::optional<Deadline> until = next();
  if (until) std::this_thread::sleep_until(*until);
  return until.has_value();
}

}  // namespace moult::internal
