#include "threads/stop_mutex.hpp"

#include <atomic>
#include <cstdint>
#include <new>
#include <thread>

#include "moult/error.hpp"
#include "platform/fork_handlers.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct Turns {
  std::timed_mutex turn;
  std::atomic<bool> is_taken{false};
  std::atomic<std::uint32_t> urgent{0};         ///< urgent stops wanted
  std::atomic<std::uint32_t> urgent_passed{0};  ///< how many there have been
};
Turns turns;

thread_local constinit bool is_about_to_fork = false;

/// In a child of fork only the forking thread exists: the holder of the mutex is not there to release it.
void begin_anew_in_child() noexcept {
  if (current_stop() != nullptr) return;  // an update's step forked in the stop, and still holds the mutex here
  new (&turns.turn) std::timed_mutex;
  turns.is_taken = false;
}

}  // namespace

StopMutex::StopMutex(Clock::time_point deadline) : lock_(turns.turn, std::defer_lock) {
  register_fork_handlers(ForkPlace::stop_mutex, {.in_child = begin_anew_in_child});
  if (!lock_.try_lock_until(deadline))
    throw Error(ErrorCode::thread_unstoppable, "another update kept the program stopped until the deadline; try again");
  turns.is_taken = true;
}

StopMutex::~StopMutex() { turns.is_taken = false; }

bool StopMutex::give_way(Clock::time_point deadline) {
  constexpr microseconds glance{50};
  if (turns.urgent == 0) return true;
  const std::uint32_t passed = turns.urgent_passed;
  lock_.unlock();
  while (turns.urgent > 0 && turns.urgent_passed == passed && Clock::now() < deadline)
    std::this_thread::sleep_for(glance);
  if (!lock_.try_lock_until(deadline)) return false;
  turns.is_taken = true;
  return true;
}

UrgentStop::UrgentStop(bool is_wanted) noexcept : is_wanted_(is_wanted) {
  if (is_wanted_) ++turns.urgent;
}

UrgentStop::~UrgentStop() {
  if (!is_wanted_) return;
  ++turns.urgent_passed;
  --turns.urgent;
}

bool is_urgent_stop_wanted() noexcept { return turns.urgent > 0; }

void let_stop_pass() noexcept {
  constexpr microseconds glance{100};
  if (is_about_to_fork) return;
  while (turns.is_taken.load(std::memory_order_relaxed)) std::this_thread::sleep_for(glance);
}

AboutToFork::AboutToFork() noexcept { is_about_to_fork = true; }
AboutToFork::~AboutToFork() { is_about_to_fork = false; }

}  // namespace moult::internal
