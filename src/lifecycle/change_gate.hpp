// One change of the program at a time, whichever manager makes it.
//
// An update that was prepared must not find that another one has changed the program before its own commit, and two
// threads must not stop the program at once. Whoever changes the program holds the turn: an update from prepare to the
// end of its pause, a rollback, an undo.
//
// The turn is no lock: a thread holds it across a stop, which a lock of moult must not be (base/guarded.hpp). It is a
// flag in a Guarded; a thread that waits for it sleeps in wait_until and may be stopped there.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/backoff.hpp"

namespace moult::internal {

class ChangeGate;

/// The right to change the program; empty when it could not be had. Given back by its destructor, from any thread.
class ChangeTurn final {
 public:
  ChangeTurn() noexcept = default;
  ChangeTurn(ChangeTurn&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  ChangeTurn& operator=(ChangeTurn&& other) noexcept {
    if (this != &other) {
      release();
      gate_ = std::exchange(other.gate_, nullptr);
    }
    return *this;
  }
  ChangeTurn(const ChangeTurn&) = delete;
  ChangeTurn& operator=(const ChangeTurn&) = delete;
  ~ChangeTurn() { release(); }

  explicit operator bool() const noexcept { return gate_ != nullptr; }
  void release() noexcept;

 private:
  friend class ChangeGate;
  explicit ChangeTurn(ChangeGate& gate) noexcept : gate_(&gate) {}
  ChangeGate* gate_ = nullptr;
};

class ChangeGate final {
 public:
  /// The turn if nobody has it.
  ChangeTurn try_take();
  /// Waits for it until `deadline`, or until `given_up` (called under the gate's lock: it must be quick and take none)
  /// says so.
  ChangeTurn take(
      Deadline deadline, const std::function<bool()>& given_up = [] { return false; });
  /// Makes those that wait ask `given_up` again.
  void wake() noexcept;

  /// How many changes were committed or taken back so far: who prepared at an older count prepares again.
  std::uint64_t changes() const;
  /// Call it with the turn in hand.
  void count_change();

 private:
  friend class ChangeTurn;
  struct State {
    bool taken = false;
    std::uint64_t changes = 0;
  };
  void give_back() noexcept;

  Guarded<State> state_;
};

}  // namespace moult::internal
