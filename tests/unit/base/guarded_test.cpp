#include "base/guarded.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace moult::internal {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(Guarded, AThreadThatHasLookedAndDoesNotSleepYetIsWoken) {
  Guarded<int> data;
  std::atomic<bool> is_looking = false;
  std::atomic<bool> is_ready = false;  // not under the lock
  std::atomic<bool> has_notified = false;
  std::jthread other([&] {
    while (!is_looking) std::this_thread::yield();
    is_ready = true;
    data.notify();
    has_notified = true;
  });
  // A look that still finds nothing, and lasts until the other thread has notified, unless that waits for the lock.
  const auto look = [&](int) {
    if (is_looking.exchange(true)) return is_ready.load();
    const Clock::time_point end = Clock::now() + 200ms;
    while (!has_notified && Clock::now() < end) std::this_thread::yield();
    return false;
  };
  EXPECT_TRUE(data.wait_until(Clock::now() + 60s, look, [](int, bool was_ready) { return was_ready; }));
}

TEST(Guarded, AThreadWaitsUntilItsDeadline) {
  Guarded<int> data;
  const auto never = [](int) { return false; };
  EXPECT_FALSE(data.wait_until(Clock::now() + 1ms, never, [](int, bool was_ready) { return was_ready; }));
}

}  // namespace
}  // namespace moult::internal
