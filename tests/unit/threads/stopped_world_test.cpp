#include "threads/stopped_world.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdarg>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/guarded.hpp"
#include "moult/error.hpp"
#include "platform/tasks.hpp"

namespace moult::threads {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<StoppedWorld> stop(std::chrono::milliseconds timeout = 5s) {
  return StoppedWorld::stop({.timeout = timeout, .keep_out = {}});
}

/// Gives a thread that should stand still the time to show that it does not.
void look_away() {
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
}

/// Waits until the thread sleeps in a system call, as /proc tells.
void await_blocked(pid_t task) {
  while (platform::blocked_call(task).number < 0 && platform::task_status(task).exists) std::this_thread::yield();
}

TEST(StoppedWorld, NoOtherThreadRunsWhileItLives) {
  std::atomic<std::uint64_t> turns{0};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([&turns](std::stop_token token) {
      while (!token.stop_requested()) turns.fetch_add(1, std::memory_order_relaxed);
    });
  for (int round = 0; round < 200; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    EXPECT_EQ(stopped->thread_count(), 4u);
    std::uint64_t before = turns.load();
    look_away();
    EXPECT_EQ(turns.load(), before);
  }
}

TEST(StoppedWorld, ThreadsThatMoultDidNotCreateAreStoppedToo) {
  std::atomic<bool> done{false};
  std::atomic<pid_t> task{0};
  struct Shared {
    std::atomic<bool>& done;
    std::atomic<pid_t>& task;
  } shared{done, task};
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, nullptr,
                [](void* data) -> void* {
                  Shared& mine = *static_cast<Shared*>(data);
                  mine.task = platform::own_task();
                  while (!mine.done) {
                  }
                  return nullptr;
                },
                &shared),
            0);
  while (task == 0) std::this_thread::yield();
  std::unique_ptr<StoppedWorld> stopped = stop();
  std::span<const ThreadId> threads = stopped->threads();
  EXPECT_NE(std::find(threads.begin(), threads.end(), ThreadId{task.load()}), threads.end());
  stopped.reset();
  done = true;
  pthread_join(thread, nullptr);
}

TEST(StoppedWorld, ItWalksTheStacksOfStoppedThreadsAndOfItsOwn) {
  sem_t never;
  sem_init(&never, 0, 0);
  std::atomic<pid_t> task{0};
  std::thread worker([&] {
    task = platform::own_task();
    while (sem_wait(&never) != 0) {
    }
  });
  while (task == 0) std::this_thread::yield();
  await_blocked(task);
  std::unique_ptr<StoppedWorld> stopped = stop();
  int frames = 0;
  stopped->walk(ThreadId{task.load()}, [&frames](const Frame& frame) {
    EXPECT_TRUE(frame.is_precise);
    return ++frames > 0;
  });
  int own = 0;
  stopped->walk(this_thread_id(), [&own](const Frame&) { return ++own > 0; });
  stopped.reset();
  sem_post(&never);
  worker.join();
  EXPECT_GT(frames, 4);
  EXPECT_GT(own, 5);
}

TEST(StoppedWorld, AThreadInMallocIsLetOutFirst) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([](std::stop_token token) {
      while (!token.stop_requested()) {
        std::vector<std::string> strings;
        for (std::size_t n = 1; n < 200; ++n) strings.emplace_back(n * 7, 'x');
      }
    });
  for (int round = 0; round < 100; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    // Would wait for ever if a stopped thread held an arena's lock: enough threads share each arena here.
    std::vector<std::string> strings;
    for (std::size_t n = 1; n < 50; ++n) strings.emplace_back(n * 300, 'y');
  }
}

TEST(StoppedWorld, AThreadInStdioIsLetOutFirst) {
  FILE* nowhere = fopen("/dev/null", "w");
  ASSERT_NE(nowhere, nullptr);
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([nowhere](std::stop_token token) {
      while (!token.stop_requested()) fprintf(nowhere, "%d %s\n", 42, "some text");
    });
  for (int round = 0; round < 20; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    fprintf(nowhere, "%s\n", "while the program is stopped");
    fflush(nowhere);
  }
  workers.clear();
  fclose(nowhere);
}

void print_by_list(FILE* stream, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stream, format, arguments);
  va_end(arguments);
}

TEST(StoppedWorld, AThreadInStdioIsLetOutAlsoWhereACallWasMadeByAJump) {
  FILE* nowhere = fopen("/dev/null", "w");
  ASSERT_NE(nowhere, nullptr);
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([nowhere](std::stop_token token) {
      while (!token.stop_requested()) print_by_list(nowhere, "%d %s\n", 42, "some text");
    });
  for (int round = 0; round < 100; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    print_by_list(nowhere, "%s\n", "while the program is stopped");
  }
  workers.clear();
  fclose(nowhere);
}

TEST(StoppedWorld, AStaticVariableInInitialisationIsWaitedFor) {
  static std::atomic<bool> entered{false};
  static std::atomic<bool> leave{false};
  struct Slow {
    Slow() {
      entered = true;
      while (!leave) std::this_thread::yield();
    }
  };
  auto initialise = [] {
    static Slow slow;
    (void)slow;
  };
  std::thread worker(initialise);
  while (!entered) std::this_thread::yield();
  try {
    stop(100ms);
    ADD_FAILURE() << "stopped in the middle of a static variable's initialisation";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::thread_unstoppable);
    EXPECT_NE(std::string(error.what()).find("slow"), std::string::npos) << error.what();
  }
  leave = true;
  worker.join();
  EXPECT_NO_THROW(stop());
}

TEST(StoppedWorld, AThreadThatBlocksTheSignalIsNamed) {
  std::atomic<bool> ready{false};
  std::atomic<bool> leave{false};
  std::thread worker([&] {
    prctl(PR_SET_NAME, "deaf");
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ready = true;
    while (!leave) std::this_thread::yield();
  });
  while (!ready) std::this_thread::yield();
  try {
    stop(100ms);
    ADD_FAILURE() << "a thread that blocks the signal cannot have stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::thread_unstoppable);
    EXPECT_NE(std::string(error.what()).find("deaf"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("blocks"), std::string::npos) << error.what();
  }
  leave = true;
  worker.join();
}

TEST(StoppedWorld, ALateSignalOfAnAttemptGivenUpDoesNoHarm) {
  std::atomic<bool> ready{false};
  std::atomic<bool> unblock{false};
  std::atomic<bool> leave{false};
  std::thread worker([&] {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    ready = true;
    while (!unblock) std::this_thread::yield();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    while (!leave) std::this_thread::yield();
  });
  while (!ready) std::this_thread::yield();
  EXPECT_THROW(stop(60ms), Error);
  unblock = true;
  for (int round = 0; round < 100; ++round) stop();
  leave = true;
  worker.join();
}

/// Calls `wait` in a thread, stops the program 50 times while it is blocked, then wakes it with `wake`.
template <class Wait, class Wake>
void expect_undisturbed(Wait wait, Wake wake) {
  std::atomic<pid_t> task{0};
  std::atomic<long> result{-1};
  std::atomic<int> error{0};
  std::thread worker([&] {
    task = platform::own_task();
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

TEST(StoppedWorld, EpollWaitSeesNoInterruption) {
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

TEST(StoppedWorld, PollSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        pollfd wanted{event, POLLIN, 0};
        return poll(&wanted, 1, -1);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(StoppedWorld, SelectSeesNoInterruption) {
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

TEST(StoppedWorld, ReadSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        eventfd_t got;
        return read(event, &got, sizeof got);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(StoppedWorld, SigwaitinfoSeesNoInterruption) {
  sigset_t usr2;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &usr2, nullptr);
  expect_undisturbed([&] { return sigwaitinfo(&usr2, nullptr); },
                     [](pid_t task) { syscall(SYS_tgkill, getpid(), task, SIGUSR2); });
}

TEST(StoppedWorld, ACallByNumberSeesNoInterruption) {
  int event = eventfd(0, 0);
  expect_undisturbed(
      [&] {
        pollfd wanted{event, POLLIN, 0};
        return syscall(SYS_poll, &wanted, 1, -1);
      },
      [&](pid_t) { eventfd_write(event, 1); });
  close(event);
}

TEST(StoppedWorld, ASleepLastsItsTimeAndNoLess) {
  std::atomic<pid_t> task{0};
  std::atomic<int> result{-1};
  std::chrono::steady_clock::duration slept{};
  std::thread worker([&] {
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    timespec length{0, 100'000'000};
    timespec rest{};
    task = platform::own_task();
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

TEST(StoppedWorld, ThreadsThatComeAndGoAreAllStopped) {
  std::atomic<bool> leave{false};
  std::atomic<int> inside{0};
  std::vector<std::jthread> spawners;
  for (int i = 0; i < 2; ++i)
    spawners.emplace_back([&] {
      while (!leave) std::thread([&] { inside.fetch_add(1); }).join();
    });
  for (int round = 0; round < 100; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    int before = inside;
    look_away();
    EXPECT_EQ(inside, before);
  }
  leave = true;
}

TEST(StoppedWorld, AThousandThreadsAreStopped) {
  std::mutex mutex;
  std::condition_variable over;
  bool is_over = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 1000; ++i)
    workers.emplace_back([&] {
      std::unique_lock lock(mutex);
      over.wait(lock, [&] { return is_over; });
    });
  for (int round = 0; round < 5; ++round) EXPECT_EQ(stop(10s)->thread_count(), 1000u);
  {
    std::scoped_lock lock(mutex);
    is_over = true;
  }
  over.notify_all();
  for (std::thread& worker : workers) worker.join();
}

TEST(StoppedWorld, AThreadThatHoldsALockOfMoultIsLetOutFirst) {
  Guarded<int> guarded(0);
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&guarded](std::stop_token token) {
      while (!token.stop_requested()) guarded.with([](int& number) { ++number; });
    });
  for (int round = 0; round < 100; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    guarded.with([](int& number) { ++number; });
  }
}

TEST(StoppedWorld, AThreadThatWaitsForALockOfMoultMayStay) {
  Guarded<bool> ready(false);
  std::jthread waiter([&ready] {
    ready.wait_until(
        std::chrono::steady_clock::time_point::max(), [](bool is_ready) { return is_ready; }, [](bool&, bool) {});
  });
  for (int round = 0; round < 50; ++round) EXPECT_NO_THROW(stop(1s));
  ready.with([](bool& is_ready) { is_ready = true; });
  ready.notify();
}

TEST(StoppedWorld, ErrnoAndTheSignalMaskSurvive) {
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

TEST(StoppedWorld, AThreadCancelledWhileItIsStoppedEndsOnlyAfterwards) {
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
                  mine.task = platform::own_task();
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

TEST(StoppedWorld, ASignalThatCannotBeQueuedIsSaidToBeTheCause) {
  std::atomic<bool> leave{false};
  std::thread worker([&leave] {
    while (!leave) std::this_thread::yield();
  });
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_SIGPENDING, &before), 0);
  rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_SIGPENDING, &none), 0);
  try {
    stop(100ms);
    ADD_FAILURE() << "stopped a thread without a signal";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("too many are queued"), std::string::npos) << error.what();
  }
  setrlimit(RLIMIT_SIGPENDING, &before);
  EXPECT_NO_THROW(stop());
  leave = true;
  worker.join();
}

TEST(StoppedWorld, ASignalThatTheProgramIgnoresIsNotQueuedAndSoWakesNobody) {
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

extern "C" void spin_under_a_wrong_rule(std::atomic<bool>* entered, std::atomic<bool>* leave);
asm(R"(
  .text
  .type spin_under_a_wrong_rule, @function
spin_under_a_wrong_rule:
  .cfi_startproc
  .cfi_def_cfa %r11, 16
  movabs $0x4141414141414140, %r11
  movb $1, (%rdi)
1:
  pause
  cmpb $0, (%rsi)
  je 1b
  ret
  .cfi_endproc
  .size spin_under_a_wrong_rule, .-spin_under_a_wrong_rule
)");

TEST(StoppedWorld, AWrongRuleInUnwindInformationIsNotFollowedIntoMemoryThatIsNotThere) {
  std::atomic<bool> entered{false};
  std::atomic<bool> leave{false};
  std::atomic<pid_t> task{0};
  std::thread worker([&] {
    task = platform::own_task();
    spin_under_a_wrong_rule(&entered, &leave);
  });
  while (!entered) std::this_thread::yield();
  std::unique_ptr<StoppedWorld> stopped = stop();
  bool is_precise = true;
  stopped->walk(ThreadId{task.load()}, [&is_precise](const Frame& frame) { return is_precise = frame.is_precise; });
  stopped.reset();
  leave = true;
  worker.join();
  EXPECT_FALSE(is_precise);
}

TEST(StoppedWorld, AThreadMayStandAtTheBeginningOfPagesWithNothingReadableBefore) {
  const unsigned char code[] = {0xE2, 0xFE, 0xC3};  // 1: loop 1b; ret
  const std::size_t page = 4096;
  char* pages = static_cast<char*>(mmap(nullptr, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(pages), MAP_FAILED);
  ASSERT_EQ(mprotect(pages + page, page, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
  std::memcpy(pages + page, code, sizeof code);
  std::atomic<bool> leave{false};
  std::atomic<bool> ready{false};
  std::thread worker([&] {
    ready = true;
    using CountDown = void (*)(long, long, long, long);  // the fourth argument is in rcx
    while (!leave) reinterpret_cast<CountDown>(pages + page)(0, 0, 0, 1'000'000);
  });
  while (!ready) std::this_thread::yield();
  for (int round = 0; round < 200; ++round) stop();
  leave = true;
  worker.join();
  munmap(pages, 2 * page);
}

TEST(StoppedWorld, TwoStopsTakeTurns) {
  std::atomic<int> inside{0};
  auto stop_often = [&inside] {
    for (int round = 0; round < 100; ++round) {
      std::unique_ptr<StoppedWorld> stopped = stop();
      EXPECT_EQ(inside.fetch_add(1), 0);
      inside.fetch_sub(1);
    }
  };
  std::jthread other(stop_often);
  stop_often();
}

}  // namespace
}  // namespace moult::threads
