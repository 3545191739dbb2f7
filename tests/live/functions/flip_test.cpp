// Functions that change while threads are busy in and around them. Every result is of one version or the other.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <thread>

#include "code/patch.hpp"
#include "moult/manager.hpp"
#include "moult/updates.hpp"
#include "threads/current_stop.hpp"
#include "unwind/unwind_table.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace internal;

MOULT_UPDATABLE int version(int x) { return x + 1; }
MOULT_UPDATABLE int version_two(int x) { return x + 2; }

bool is_soak() { return std::getenv("MOULT_SOAK") != nullptr; }

/// Threads that do some work and call the function in between, until they are told to stop.
class Callers {
 public:
  explicit Callers(const std::function<void()>& work, int count = 4) {
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([this, work](std::stop_token token) {
        for (int x = 0; !token.stop_requested(); x = (x + 1) & 0xFFFF) {
          work();
          int result = version(x);
          if (result != x + 1 && result != x + 2) wrong_.fetch_add(1);
          calls_.fetch_add(1, std::memory_order_relaxed);
        }
      });
  }
  void stop() { threads_.clear(); }
  int wrong() const { return wrong_; }
  long calls() const { return calls_; }

 private:
  std::atomic<int> wrong_{0};
  std::atomic<long> calls_{0};
  std::vector<std::jthread> threads_;
};

CodeAddress address_of(int (*function)(int)) { return CodeAddress{reinterpret_cast<std::uintptr_t>(function)}; }

void in_a_stop(const Patch& patch, const std::function<void(const StoppedWorld&)>& act) {
  in_stopped_world({.timeout = std::chrono::seconds(60), .keep_out = patch.keep_out()}, act);
}

/// The change and its reversal by turns, from below the updates: those read symbols each time.
void flip(int times) {
  PatchTarget target{"version", *unwind_entry_at(address_of(version)), address_of(version_two), {}};
  for (int i = 0; i < times; i += 2) {
    Patch patch = Patch::prepare({&target, 1});
    in_a_stop(patch, [&patch](const StoppedWorld& stopped) { patch.commit(stopped); });
    patch.finish();
    ASSERT_EQ(version(0), 2);
    patch.prepare_revert();
    in_a_stop(patch, [&patch](const StoppedWorld& stopped) { patch.revert(stopped); });
    patch.finish();
    ASSERT_EQ(version(0), 1);
  }
}

void flip_under(const std::function<void()>& work, int times) {
  Callers callers(work);
  if (is_soak()) times = 100'000;
  flip(times);
  std::printf("%d flips, %ld calls\n", times, callers.calls());
  callers.stop();
  EXPECT_EQ(callers.wrong(), 0);
  EXPECT_GT(callers.calls(), 0);
}

#ifdef __SANITIZE_ADDRESS__
// Threads are nearly always in its allocator, and thousands of steps on their way out.
constexpr int times_under_allocation = 20;
constexpr int times_by_updates = 8;  // an update takes seconds
#else
constexpr int times_under_allocation = 200;
constexpr int times_by_updates = 20;
#endif

TEST(Flip, UnderFourCallers) {
  flip_under([] {}, 400);
}

TEST(Flip, UnderAllocation) {
  flip_under(
      [] {
        std::string text(200, 'x');
        text.append(1000, 'y');
      },
      times_under_allocation);
}

TEST(Flip, UnderPrinting) {
  FILE* nowhere = std::fopen("/dev/null", "w");
  flip_under(
      [nowhere] {
        std::fprintf(nowhere, "%d", 1);
        usleep(50);
      },
      200);
  std::fclose(nowhere);
}

TEST(Flip, UnderLoadingOfLibraries) {
  flip_under(
      [] {
        void* library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
        if (library != nullptr) dlclose(library);
        usleep(100);
      },
      200);
}

TEST(Flip, UnderConditionVariables) {
  std::mutex mutex;
  std::condition_variable changed;
  flip_under(
      [&] {
        std::unique_lock lock(mutex);
        changed.notify_all();
        changed.wait_for(lock, std::chrono::microseconds(100));
      },
      800);
}

TEST(Flip, UnderEpollWait) {
  int epoll = epoll_create1(0);
  flip_under(
      [epoll] {
        epoll_event event;
        if (epoll_wait(epoll, &event, 1, 1) < 0) std::abort();  // an interruption must not be seen
      },
      800);
  close(epoll);
}

TEST(Flip, UnderNanosleep) {
  flip_under(
      [] {
        timespec length{0, 200'000};
        timespec rest{};
        if (nanosleep(&length, &rest) != 0) std::abort();
      },
      800);
}

TEST(Flip, WhileThreadsComeAndGo) {
  flip_under(
      [] {
        std::thread([] {
          const int result = version(7);
          if (result != 8 && result != 9) std::abort();
        }).join();
      },
      200);
}

TEST(Flip, WhileTheProgramForks) {
  flip_under(
      [] {
        const pid_t child = fork();
        if (child < 0) std::abort();
        if (child == 0) {
          const int result = version(7);
          _exit(result == 8 || result == 9 ? 0 : 1);
        }
        int status = 0;
        while (waitpid(child, &status, 0) < 0)
          if (errno != EINTR) std::abort();
        if (status != 0) std::abort();
      },
      80);
}

/// Sends the calling thread a signal every 100 microseconds while it lives.
class SignalRain {
 public:
  SignalRain() {
    sigevent to{};
    to.sigev_notify = SIGEV_THREAD_ID;
    to.sigev_signo = SIGUSR1;
    to._sigev_un._tid = gettid();
    const itimerspec period{{0, 100'000}, {0, 100'000}};
    if (timer_create(CLOCK_MONOTONIC, &to, &timer_) != 0 || timer_settime(timer_, 0, &period, nullptr) != 0)
      std::abort();
  }
  ~SignalRain() { timer_delete(timer_); }
  SignalRain(const SignalRain&) = delete;
  SignalRain& operator=(const SignalRain&) = delete;

 private:
  timer_t timer_{};
};

TEST(Flip, UnderSignalsWhoseHandlerCallsTheFunction) {
  static std::atomic<long> handled{0};
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  action.sa_handler = [](int) {
    const int result = version(7);
    if (result != 8 && result != 9) std::abort();
    handled.fetch_add(1);
  };
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  flip_under([] { static thread_local const SignalRain rain; }, 200);
  EXPECT_GT(handled, 0);
}

TEST(Flip, ByUpdatesAndRollBacks) {
  Callers callers([] {});
  ThreadedManager manager("flip");
  for (int i = 0; i < (is_soak() ? 10'000 : times_by_updates); ++i) {
    UpdateHandle handle = manager.add_update(std::make_unique<SafeRedefineUpdate>("flip", version, version_two));
    UpdateReport report = handle.wait(std::chrono::seconds(20));
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    ASSERT_EQ(version(0), 2);
    roll_back(report.id);
    ASSERT_EQ(version(0), 1);
  }
  callers.stop();
  EXPECT_EQ(callers.wrong(), 0);
}

}  // namespace subject
}  // namespace moult
