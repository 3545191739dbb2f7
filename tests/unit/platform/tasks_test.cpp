#include "platform/tasks.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace moult::internal {
namespace {

/// A thread that does `work` until the test stops it, and its task.
class RepeatingTask {
 public:
  template <class Work>
  explicit RepeatingTask(Work work)
      : thread_([this, work](std::stop_token token) {
          task_ = ::gettid();
          while (!token.stop_requested()) work();
        }) {
    while (task_ == 0) std::this_thread::yield();
  }
  pid_t task() const noexcept { return task_; }

 private:
  std::atomic<pid_t> task_{0};
  std::jthread thread_;
};

TEST(Tasks, TheTimeThatATaskHasRunGrowsWhileItRuns) {
  const std::uint64_t before = time_run(own_task());
  while (time_run(own_task()) == before) std::this_thread::yield();
  EXPECT_GT(time_run(own_task()), before);
  EXPECT_EQ(time_run(0x7fff'ffff), 0u) << "there is no such task";
}

TEST(TaskStatus, AThreadThatComputesIsRunnable) {
  RepeatingTask worker([] {});
  EXPECT_TRUE(task_status(worker.task()).is_runnable);
}

TEST(TaskStatus, AThreadThatWaitsIsNotRunnable) {
  std::atomic<bool> may_go{false};
  RepeatingTask worker([&] { may_go.wait(false); });
  while (blocked_call(worker.task()).number < 0) std::this_thread::yield();
  TaskStatus status = task_status(worker.task());
  EXPECT_TRUE(status.exists);
  EXPECT_FALSE(status.is_runnable);
  may_go = true;
  may_go.notify_all();
}

TEST(TaskStatus, ATaskThatIsGoneDoesNotExist) {
  pid_t task = 0;
  {
    RepeatingTask worker([] {});
    task = worker.task();
  }
  // Its thread can be joined a moment before the kernel has done with it.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (task_status(task).exists && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(task_status(task).exists);
}

}  // namespace
}  // namespace moult::internal
