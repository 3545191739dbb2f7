#include "threads/stop_mutex.hpp"

#include <atomic>
#include <cstdint>
#include <new>
#include <thread>

#include "base/transaction.hpp"
#include "moult/error.hpp"
#include "platform/fork_handlers.hpp"

namespace moult::internal {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct StopState {
  std::timed_mutex mutex;
  std::atomic<bool> is_taken{false};
  std::atomic<std::uint32_t> urgent{0};         ///< urgent stops wanted
  std::atomic<std::uint32_t> urgent_passed{0};  ///< how many there have been
};
StopState state;

thread_local constinit bool is_about_to_fork = false;

/// In a child of fork only the forking thread exists: the holder of the mutex is not there to release it.
void reset_in_child() noexcept {
  const Transaction* const transaction = Transaction::current();
  const bool is_stopped = transaction != nullptr && transaction->suspension() != nullptr;
  if (is_stopped) return;  // an update's step forked in the stop, and still holds the mutex here
  new (&state.mutex) std::timed_mutex;
  state.is_taken = false;
}

}  // namespace

StopMutex::StopMutex(Clock::time_point deadline) : lock_(state.mutex, std::defer_lock) {
  register_fork_handlers(ForkPlace::stop_mutex, {.in_child = reset_in_child});
  if (!lock_.try_lock_until(deadline))
    throw Error(ErrorCode::thread_unstoppable, "another update kept the program stopped until the deadline; try again");
  state.is_taken = true;
}

StopMutex::~StopMutex() { state.is_taken = false; }

bool StopMutex::give_way(Clock::time_point deadline) {
  constexpr microseconds glance{50};
  if (state.urgent == 0) return true;
  const std::uint32_t passed = state.urgent_passed;
  lock_.unlock();
  while (state.urgent > 0 && state.urgent_passed == passed && Clock::now() < deadline)
    std::this_thread::sleep_for(glance);
  if (!lock_.try_lock_until(deadline)) return false;
  state.is_taken = true;
  return true;
}

UrgentStop::UrgentStop(bool is_wanted) noexcept : is_wanted_(is_wanted) {
  if (is_wanted_) ++state.urgent;
}

UrgentStop::~UrgentStop() {
  if (!is_wanted_) return;
  ++state.urgent_passed;
  --state.urgent;
}

bool is_urgent_stop_wanted() noexcept { return state.urgent > 0; }

void let_stop_pass() noexcept {
  constexpr microseconds glance{100};
  if (is_about_to_fork) return;
  while (state.is_taken.load(std::memory_order_relaxed)) std::this_thread::sleep_for(glance);
}

AboutToFork::AboutToFork() noexcept { is_about_to_fork = true; }
AboutToFork::~AboutToFork() { is_about_to_fork = false; }

}  // namespace moult::internal
