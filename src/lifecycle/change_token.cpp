#include "lifecycle/change_token.hpp"

namespace moult::internal {

void ChangeToken::release() noexcept {
  if (arbiter_ != nullptr) std::exchange(arbiter_, nullptr)->give_back();
}

ChangeToken ChangeArbiter::try_take() {
  bool taken = state_.with([](State& state) { return std::exchange(state.taken, true); });
  return taken ? ChangeToken() : ChangeToken(*this);
}

ChangeToken ChangeArbiter::take(Deadline deadline, const std::function<bool()>& given_up) {
  bool mine = state_.wait_until(
      deadline, [&](const State& state) { return !state.taken || given_up(); },
      [&](State& state, bool) { return !given_up() && !std::exchange(state.taken, true); });
  return mine ? ChangeToken(*this) : ChangeToken();
}

void ChangeArbiter::wake() noexcept { state_.notify(); }

std::uint64_t ChangeArbiter::changes() const {
  return state_.with([](const State& state) { return state.changes; });
}

void ChangeArbiter::count_change() {
  state_.with([](State& state) { ++state.changes; });
}

void ChangeArbiter::give_back() noexcept {
  state_.with([](State& state) { state.taken = false; });
  state_.notify();
}

}  // namespace moult::internal
