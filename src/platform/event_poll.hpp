// Waiting for many descriptors at once, and waking that wait from another thread.
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
  bool hung_up = false;  ///< told whether it was asked for or not
};

/// epoll, level-triggered. One thread.
class EventPoll final {
 public:
  /// Throws Error (system).
  EventPoll();

  /// Throws Error (system).
  void add(const Fd& fd, std::uint64_t key, Interest interest);
  void change(const Fd& fd, std::uint64_t key, Interest interest) noexcept;
  void remove(const Fd& fd) noexcept;
  /// Blocks until something is ready or `timeout` has passed (none: without end); fills the front of `ready`.
  std::span<Ready> wait(std::span<Ready> ready, std::optional<std::chrono::milliseconds> timeout) noexcept;

 private:
  Fd epoll_;
};

/// Readable after wake() until drain().
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
