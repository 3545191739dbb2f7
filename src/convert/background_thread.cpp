#include "convert/background_thread.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "base/own_thread.hpp"
#include "platform/tasks.hpp"
#include "watch/fault_handler.hpp"

namespace moult::internal {

void BackgroundThread::start() {
  state_.with([this](State& state) {
    if (!state.thread.joinable()) state.thread = start_own_thread([this] { run(); });
  });
}

void BackgroundThread::add(Jobs jobs) noexcept {
  state_.with([&](State& state) { state.jobs.splice(state.jobs.end(), jobs); });
  state_.notify();
}

/// None after an hour without one.
BackgroundThread::Job BackgroundThread::next() {
  return state_.wait_until(
      std::chrono::steady_clock::now() + std::chrono::hours(1), [](const State& state) { return !state.jobs.empty(); },
      [](State& state, bool is_ready) -> Job {
        if (!is_ready) return nullptr;
        Job first = std::move(state.jobs.front());
        state.jobs.pop_front();
        return first;
      });
}

void BackgroundThread::run() {
  name_this_thread(name_);
  for (;;) {
    const Job job = next();
    for (bool is_done = job == nullptr; !is_done;) try {
        is_done = job();
      } catch (const std::exception&) {
        std::this_thread::sleep_for(out_of_memory_pause);
      }
  }
}

}  // namespace moult::internal
