// Waits for many descriptors at once. Another thread can wake the wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "base/fd.hpp"

namespace moult::internal {

struct Interest {
  bool read = false;
  bool write = false;
  bool operator==(const Interest&) const = default;
};

struct Ready {
  std::uint64_t key = 0;
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  ///< reported even without an interest
};

/// epoll, level-triggered. For use by one thread.
class EventPoll final {
 public:
  /// Throws Error (system).
  EventPoll();

  /// Throws Error (system).
  void add(const Fd& fd, std::uint64_t key, Interest interest);
  void change(const Fd& fd, std::uint64_t key, Interest interest) noexcept;
  void remove(const Fd& fd) noexcept;
  /// Blocks until a descriptor is ready or `timeout` has passed (none: for ever). Fills the front of `ready`.
  std::span<Ready> wait(std::span<Ready> ready, std::optional<std::chrono::milliseconds> timeout) noexcept;

 private:
  Fd epoll_;
};

/// A descriptor that is readable after wake() until drain().
class Waker final {
 public:
  /// Throws Error (system).
  Waker();
  /// From any thread; does not block or allocate.
  void wake() noexcept;
  void drain() noexcept;
  const Fd& fd() const noexcept { return event_; }

 private:
  Fd event_;
};

}  // namespace moult::internal
