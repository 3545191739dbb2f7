#include "threads/service_threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "moult/error.hpp"
#include "platform/tasks.hpp"
#include "stopping.hpp"

namespace moult::internal {
namespace {

TEST(ServiceThreads, RunOnInAStop) {
  std::atomic<long> rounds{0};
  std::atomic<bool> has_begun{false};
  std::jthread busy([&](const std::stop_token& token) {
    ServiceThread here;
    has_begun = true;
    while (!token.stop_requested()) ++rounds;
  });
  while (!has_begun) std::this_thread::yield();
  std::unique_ptr<StoppedWorld> stopped = stop();
  EXPECT_EQ(stopped->thread_count(), 0u);
  long before = rounds;
  while (rounds < before + 1000) std::this_thread::yield();
}

class ServiceWorkTest : public testing::Test {
 protected:
  ~ServiceWorkTest() override { may_end = true; }

  /// A service thread that works for `task`.
  void begin(pid_t task) {
    thread = std::jthread([this, task] {
      ServiceThread here;
      has_begun = true;
      ServiceWork work(task);
      is_working = true;
      while (!may_end) std::this_thread::yield();
    });
    while (!has_begun) std::this_thread::yield();
  }

  std::atomic<bool> has_begun{false};
  std::atomic<bool> is_working{false};
  std::atomic<bool> may_end{false};
  std::jthread thread;
};

TEST_F(ServiceWorkTest, AStopWaitsForWorkInProgress) {
  begin(1);
  while (!is_working) std::this_thread::yield();
  EXPECT_THROW(stop(100ms), Error);
  std::jthread later([this, stopper = own_task()] {
    ServiceThread here;
    while (!is_served_in_stop(stopper)) std::this_thread::yield();  // until the stop waits for the work
    may_end = true;
  });
  std::unique_ptr<StoppedWorld> stopped = stop();
  EXPECT_TRUE(may_end);
}

TEST_F(ServiceWorkTest, WorkForOtherThreadsBeginsAfterTheStop) {
  std::unique_ptr<StoppedWorld> stopped = stop();
  begin(1);
  look_away();
  EXPECT_FALSE(is_working);
  stopped.reset();
  while (!is_working) std::this_thread::yield();
}

TEST_F(ServiceWorkTest, WorkForTheStoppingThreadBeginsInTheStop) {
  std::unique_ptr<StoppedWorld> stopped = stop();
  begin(own_task());
  while (!is_working) std::this_thread::yield();
}

TEST_F(ServiceWorkTest, WorkForTheStoppingThreadBeginsWhenNoServiceWorkEnds) {
  std::unique_ptr<StoppedWorld> stopped = stop();
  std::optional<NoServiceWork> none;
  none.emplace();
  begin(own_task());
  look_away();
  EXPECT_FALSE(is_working);
  none.reset();
  while (!is_working) std::this_thread::yield();
}

}  // namespace
}  // namespace moult::internal
