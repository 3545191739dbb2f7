#include "points/static_points.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/transaction.hpp"
#include "moult/error.hpp"
#include "moult/thread.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;

constexpr Patience long_patience{.max_tries = 600, .sleep_time = 100ms, .stop_timeout = 20s, .max_postponements = {}};

/// Runs a counted loop with a point at its top, until it is stopped.
class PointLoop final {
 public:
  explicit PointLoop(const char* point = "top")
      : thread_([this, point](const std::stop_token& token) {
          id_ = this_thread_id();
          while (!token.stop_requested()) {
            static_update_point(point);
            ++rounds_;
          }
        }) {
    while (id_.load() == ThreadId{}) std::this_thread::yield();
  }

  ThreadId id() const { return id_; }
  long rounds() const { return rounds_; }
  void await_a_round() const {
    for (const long before = rounds_; rounds_ == before;) std::this_thread::yield();
  }

 private:
  std::atomic<ThreadId> id_{};
  std::atomic<long> rounds_{0};
  std::jthread thread_;
};

/// Gives a thread that should stay the time to show that it does not.
void look_away() {
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
}

class StaticPointsTest : public testing::Test {
 protected:
  Transaction transaction_;
  Transaction::Scope scope_{transaction_};
};

TEST_F(StaticPointsTest, AThreadStaysAtItsPointUntilTheAttemptIsThrough) {
  const PointLoop walker;
  setup_wait_static_points({.names = {"top"}, .threads = {walker.id()}});
  ASSERT_TRUE(wait_static_points_reached(long_patience));
  EXPECT_EQ(point_of(walker.id()), "top");
  const long before = walker.rounds();
  look_away();
  EXPECT_EQ(walker.rounds(), before);
  transaction_.end_attempt();
  walker.await_a_round();
}

TEST_F(StaticPointsTest, APendingExitIsCalledInTheThreadWhenItIsLetGo) {
  const PointLoop walker;
  std::atomic<ThreadId> called_in{};
  setup_wait_static_points({.names = {}, .threads = {walker.id()}});
  ASSERT_TRUE(wait_static_points_reached(long_patience));
  set_pending_exit(walker.id(), [&] { called_in = this_thread_id(); });
  look_away();
  EXPECT_EQ(called_in.load(), ThreadId{});
  clean_failed_static_points();
  walker.await_a_round();
  EXPECT_EQ(called_in.load(), walker.id());
}

TEST_F(StaticPointsTest, APendingExitThatWasClearedIsNotCalled) {
  const PointLoop walker;
  std::atomic<bool> was_called{false};
  setup_wait_static_points({.names = {}, .threads = {walker.id()}});
  ASSERT_TRUE(wait_static_points_reached(long_patience));
  set_pending_exit(walker.id(), [&] { was_called = true; });
  clear_pending_exit(walker.id());
  clean_failed_static_points();
  walker.await_a_round();
  EXPECT_FALSE(was_called);
}

/// Runs a main function that passes a point and ends, with `exit` as its pending exit. Returns when the thread has
/// ended.
template <class Main>
void leave_by(Main&& main, const std::function<void()>& exit) {
  Thread thread("leaving", main);
  setup_wait_static_points({.names = {}, .threads = {thread.id()}});
  ASSERT_TRUE(wait_static_points_reached(long_patience));
  set_pending_exit(thread.id(), exit);
  clean_failed_static_points();
  thread.join();
}

TEST_F(StaticPointsTest, APendingExitMayLeaveThePointByAnException) {
  std::atomic<bool> was_caught{false};
  auto main = [&was_caught] {
    try {
      for (;;) static_update_point("top");
    } catch (const std::runtime_error&) {
      was_caught = true;
    }
  };
  leave_by(main, [] { throw std::runtime_error("left"); });
  EXPECT_TRUE(was_caught);
}

TEST_F(StaticPointsTest, APendingExitMayLeaveThePointByForcedUnwinding) {
  struct Guard {
    explicit Guard(std::atomic<int>& count) : destroyed(count) {}
    ~Guard() { ++destroyed; }
    std::atomic<int>& destroyed;
  };
  std::atomic<int> destroyed{0};
  auto main = [&destroyed] {
    const Guard guard(destroyed);
    for (;;) static_update_point("top");
  };
  leave_by(main, [] { ::pthread_exit(nullptr); });
  EXPECT_EQ(destroyed, 1);
}

}  // namespace
}  // namespace moult::internal
