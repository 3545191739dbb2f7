// The change token: one change of the program at a time, whichever manager makes it.
//
// Why: after an update was prepared, no other update may change the program before its commit. And two threads must not
// stop the program at once.
//
// How: whatever changes the program holds the token: an update from prepare to the end of its pause, a rollback, an
// undo. The token is no lock. A thread holds it across a stop, which is forbidden for a moult lock (base/guarded.hpp).
// It is a flag in a Guarded; a thread that waits for it sleeps in wait_until and may be stopped there.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/backoff.hpp"

namespace moult::internal {

class ChangeArbiter;

/// The right to change the program; empty if it could not be had. The destructor returns it, in any thread.
class ChangeToken final {
 public:
  ChangeToken() noexcept = default;
  ChangeToken(ChangeToken&& other) noexcept : arbiter_(std::exchange(other.arbiter_, nullptr)) {}
  ChangeToken& operator=(ChangeToken&& other) noexcept {
    if (this != &other) {
      release();
      arbiter_ = std::exchange(other.arbiter_, nullptr);
    }
    return *this;
  }
  ChangeToken(const ChangeToken&) = delete;
  ChangeToken& operator=(const ChangeToken&) = delete;
  ~ChangeToken() { release(); }

  explicit operator bool() const noexcept { return arbiter_ != nullptr; }
  void release() noexcept;

 private:
  friend class ChangeArbiter;
  explicit ChangeToken(ChangeArbiter& arbiter) noexcept : arbiter_(&arbiter) {}
  ChangeArbiter* arbiter_ = nullptr;
};

class ChangeArbiter final {
 public:
  /// Takes the token if it is free.
  ChangeToken try_take();
  /// Waits for the token until `deadline` or until `given_up` returns true. `given_up` is called under the arbiter's
  /// lock: it must be quick and take no lock.
  ChangeToken take(
      Deadline deadline, const std::function<bool()>& given_up = [] { return false; });
  /// Makes waiting threads call `given_up` again.
  void wake() noexcept;

  /// How many changes were committed or undone so far. An update that prepared at an older count prepares again.
  std::uint64_t changes() const;
  /// The caller holds the token.
  void count_change();

 private:
  friend class ChangeToken;
  struct State {
    bool taken = false;
    std::uint64_t changes = 0;
  };
  void give_back() noexcept;

  Guarded<State> state_;
};

}  // namespace moult::internal
