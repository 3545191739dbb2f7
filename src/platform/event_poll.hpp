// Waits for many descriptors at once. Another thread can wake the wait.
//
// Why poll and a pair of sockets, not epoll and an eventfd: the program may close any descriptor (base/fd.hpp). All
// epolls and eventfds look the same to fstat. And when a waker's descriptors are closed, the sockets hang up and so end
// the wait that is in progress.
//
// Limits: each wait looks at all descriptors, of which a listener has fewer than a hundred. A wait ends after ten
// seconds at the latest: a child of fork may hold the same sockets open, and then nothing hangs up.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

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
  bool is_lost = false;  ///< reported even without an interest: the program has closed the descriptor
};

/// For use by one thread.
class EventPoll final {
 public:
  /// Waits for `fd` too, which stays in its place until `remove`. Throws std::bad_alloc.
  void add(const Fd& fd, std::uint64_t key, Interest interest);
  void change(std::uint64_t key, Interest interest) noexcept;
  /// Does nothing when the key is unknown.
  void remove(std::uint64_t key) noexcept;
  /// Blocks until a descriptor is ready or lost, or `timeout` has passed. May end earlier without a result. Fills the
  /// front of `ready`. If there is no room for all, the others come first the next time.
  std::span<Ready> wait(std::span<Ready> ready, std::optional<std::chrono::milliseconds> timeout) noexcept;

 private:
  struct Entry {
    const Fd* fd;
    std::uint64_t key;
    Interest interest;
  };
  std::span<Ready> find_lost(std::span<Ready> ready) const noexcept;

  std::vector<Entry> entries_;
  std::vector<pollfd> waits_;  ///< one for each entry, in the same order
  std::size_t first_ = 0;      ///< the entry to report first
};

/// A descriptor that is readable after wake() until drain(), and hung up when the program has closed its other side.
class Waker final {
 public:
  /// Throws Error (system).
  Waker();
  /// From any thread; does not block or allocate.
  void wake() noexcept;
  void drain() noexcept;
  const Fd& fd() const noexcept { return hearing_; }

 private:
  Fd hearing_;
  Fd calling_;
};

}  // namespace moult::internal
