// One change of the program at a time, whichever manager makes it.
//
// An update that was prepared must not find that another one has changed the program before its own commit, and two
// threads must not stop the program at once. Whoever changes the program holds the token: an update from prepare to the
// end of its pause, a rollback, an undo.
//
// The token is no lock: a thread holds it across a stop, which a lock of moult must not be (base/guarded.hpp). It is a
// flag in a Guarded; a thread that waits for it sleeps in wait_until and may be stopped there.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/backoff.hpp"

namespace moult::internal {

class ChangeArbiter;

/// The right to change the program; empty when it could not be had. Given back by its destructor, from any thread.
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
  /// The token if nobody has it.
  ChangeToken try_take();
  /// Waits for it until `deadline`, or until `given_up` (called under the arbiter's lock: it must be quick and take
  /// none) says so.
  ChangeToken take(
      Deadline deadline, const std::function<bool()>& given_up = [] { return false; });
  /// Makes those that wait ask `given_up` again.
  void wake() noexcept;

  /// How many changes were committed or taken back so far: who prepared at an older count prepares again.
  std::uint64_t changes() const;
  /// Call it with the token in hand.
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
