// A stop leaves no trace in the calls that it interrupts.
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "stopping.hpp"

namespace moult::internal {
namespace {

/// Calls `wait` in a thread, stops the program 50 times while it is blocked, then wakes it with `wake`.
template <class Wait, class Wake>
void expect_undisturbed(Wait wait, Wake wake) {
  std::atomic<pid_t> task{0};
  std::atomic<long> result{-1};
  std::atomic<int> error{0};
  std::thread worker([&] {
    task = own_task();
    errno = 0;
    result = wait();
    error = errno;
  });
  while (task == 0) std::this_thread::yield();
  await_blocked(task);
  for (int round = 0; round < 50; ++round) {
    stop();
    await_blocked(task);
  }
  wake(task);
  worker.join();
  EXPECT_GT(result, 0) << strerror(error);
}

TEST(Undisturbed, EpollWaitSeesNoInterruption) {
  int event = eventfd(0, 0);
  int epoll = epoll_create1(0);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted);
  expect_undisturbed(
      [&] {
        epoll_event got;
        return epoll_wait(epoll, &got, 1, -1);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(epoll);
  close(event);
}

TEST(Undisturbed, PollSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        pollfd wanted{event, POLLIN, 0};
        return poll(&wanted, 1, -1);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(Undisturbed, SelectSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        fd_set wanted;
        FD_ZERO(&wanted);
        FD_SET(event, &wanted);
        return select(event + 1, &wanted, nullptr, nullptr, nullptr);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(Undisturbed, ReadSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        eventfd_t got;
        return read(event, &got, sizeof got);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(Undisturbed, SigwaitinfoSeesNoInterruption) {
  sigset_t usr2;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &usr2, nullptr);
  expect_undisturbed([&] { return sigwaitinfo(&usr2, nullptr); },
                     [](pid_t task) { syscall(SYS_tgkill, getpid(), task, SIGUSR2); });
}

TEST(Undisturbed, ACallByNumberSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        pollfd wanted{event, POLLIN, 0};
        return syscall(SYS_poll, &wanted, 1, -1);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(Undisturbed, ASleepLastsItsTimeAndNoLess) {
  std::atomic<pid_t> task{0};
  std::atomic<int> result{-1};
  std::chrono::steady_clock::duration slept{};
  std::thread worker([&] {
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    timespec length{0, 100'000'000};
    timespec rest{};
    task = own_task();
    result = clock_nanosleep(CLOCK_MONOTONIC, 0, &length, &rest);
    slept = std::chrono::steady_clock::now() - begin;
  });
  while (task == 0) std::this_thread::yield();
  await_blocked(task);
  for (int round = 0; round < 20; ++round) stop();
  worker.join();
  EXPECT_EQ(result, 0);
  EXPECT_GE(slept, 100ms);
}

TEST(Undisturbed, ErrnoAndTheSignalMaskSurvive) {
  std::atomic<bool> leave{false};
  std::atomic<bool> is_disturbed{false};
  std::thread worker([&] {
    errno = 4711;
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    while (!leave)
      if (errno != 4711) is_disturbed = true;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    for (int signal = 1; signal < NSIG; ++signal)
      if (sigismember(&before, signal) != sigismember(&after, signal)) is_disturbed = true;
  });
  for (int round = 0; round < 200; ++round) stop();
  leave = true;
  worker.join();
  EXPECT_FALSE(is_disturbed);
}

TEST(Undisturbed, AThreadCancelledWhileItIsStoppedEndsOnlyAfterwards) {
  struct Shared {
    std::atomic<pid_t> task{0};
    std::atomic<bool> is_unwound{false};
    int event = eventfd(0, 0);
  } shared;
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* data) -> void* {
                  Shared& mine = *static_cast<Shared*>(data);
                  struct OnUnwind {
                    std::atomic<bool>& flag;
                    ~OnUnwind() { flag = true; }
                  } on_unwind{mine.is_unwound};
                  mine.task = own_task();
                  eventfd_t got;
                  while (read(mine.event, &got, sizeof got) < 0) {
                  }
                  return nullptr;
                },
                &shared),
            0);
  while (shared.task == 0) std::this_thread::yield();
  await_blocked(shared.task);
  std::unique_ptr<StoppedWorld> stopped = stop();
  pthread_cancel(thread);
  for (int i = 0; i < 100; ++i) look_away();
  EXPECT_FALSE(shared.is_unwound);
  stopped.reset();
  void* result = nullptr;
  pthread_join(thread, &result);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  EXPECT_TRUE(shared.is_unwound);
  close(shared.event);
}

TEST(Undisturbed, ASignalThatTheProgramIgnoresIsNotQueuedAndWakesNoThread) {
  // For the main thread, which is stopped: were it to block the signal there, another thread would see EINTR for it.
  bool is_queued = true;
  std::thread worker([&is_queued] {
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_BLOCK, &urgent, nullptr);
    std::unique_ptr<StoppedWorld> stopped = stop();
    kill(getpid(), SIGURG);
    sigset_t pending;
    sigpending(&pending);
    is_queued = sigismember(&pending, SIGURG) == 1;
  });
  worker.join();
  EXPECT_FALSE(is_queued);
}

}  // namespace
}  // namespace moult::internal
