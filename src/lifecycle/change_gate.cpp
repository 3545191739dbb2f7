#include "lifecycle/change_gate.hpp"

namespace moult::internal {

void ChangeTurn::release() noexcept {
  if (gate_ != nullptr) std::exchange(gate_, nullptr)->give_back();
}

ChangeTurn ChangeGate::try_take() {
  bool taken = state_.with([](State& state) { return std::exchange(state.taken, true); });
  return taken ? ChangeTurn() : ChangeTurn(*this);
}

ChangeTurn ChangeGate::take(Deadline deadline, const std::function<bool()>& given_up) {
  bool mine = state_.wait_until(
      deadline, [&](const State& state) { return !state.taken || given_up(); },
      [&](State& state, bool) { return !given_up() && !std::exchange(state.taken, true); });
  return mine ? ChangeTurn(*this) : ChangeTurn();
}

void ChangeGate::wake() noexcept {
  // Under the lock for a moment: a waiter has either not asked yet, or sleeps and hears the call.
  state_.with([](const State&) {});
  state_.notify();
}

std::uint64_t ChangeGate::changes() const {
  return state_.with([](const State& state) { return state.changes; });
}

void ChangeGate::count_change() {
  state_.with([](State& state) { ++state.changes; });
}

void ChangeGate::give_back() noexcept {
  state_.with([](State& state) { state.taken = false; });
  state_.notify();
}

}  // namespace moult::internal
