#include "threads/stopped_world.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "moult/error.hpp"
#include "platform/alternate_stack.hpp"
#include "platform/stop_signal.hpp"
#include "platform/tasks.hpp"
#include "stopping.hpp"

namespace moult::internal {
namespace {

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

TEST(StoppedWorld, AHandlerThatTheProgramGaveTheStopSignalStaysAndTheStopFails) {
  struct sigaction own {};
  struct sigaction moults {};
  struct sigaction now {};
  own.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(stop_signal(), &own, &moults), 0);
  try {
    stop(100ms);
    ADD_FAILURE() << "the program was stopped";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("has given a handler of its own"), std::string::npos) << error.what();
  }
  sigaction(stop_signal(), &moults, &now);
  EXPECT_EQ(now.sa_handler, own.sa_handler);
  EXPECT_NO_THROW(stop());
}

/// Runs `act` in a thread that has an alternate signal stack of `size` bytes, above memory that shows what was used.
class AlternateStack final {
 public:
  explicit AlternateStack(std::size_t size) : memory_(below + size, untouched) {
    stack_t stack{};
    stack.ss_sp = memory_.data() + below;
    stack.ss_size = size;
    EXPECT_EQ(sigaltstack(&stack, &before_), 0);
  }
  ~AlternateStack() { EXPECT_EQ(sigaltstack(&before_, nullptr), 0); }
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

  /// The bytes that were used, from the stack's top on.
  std::ptrdiff_t used() const {
    return memory_.end() - std::find_if(memory_.begin(), memory_.end(), [](char byte) { return byte != untouched; });
  }

 private:
  static constexpr std::ptrdiff_t below = 16384;
  static constexpr char untouched = 0x5a;
  std::vector<char> memory_;
  stack_t before_{};
};

TEST(StoppedWorld, AThreadIsStoppedOnTheSmallestAlternateStackThatIsEnough) {
  std::atomic<bool> is_ready{false};
  std::jthread thread([&](const std::stop_token& token) {
    const AlternateStack stack(least_alternate_stack());
    is_ready = true;
    while (!token.stop_requested()) std::free(std::malloc(100));  // now and then it is stepped out
    EXPECT_GT(stack.used(), 0);
    EXPECT_LE(stack.used(), static_cast<std::ptrdiff_t>(least_alternate_stack()));
  });
  while (!is_ready) std::this_thread::yield();
  for (int round = 0; round < 50; ++round) EXPECT_EQ(stop()->thread_count(), 1u);
}

TEST(StoppedWorld, AThreadWhoseAlternateStackIsTooSmallIsNamedAndNotSignalled) {
  std::atomic<int> stage{0};
  std::jthread thread([&] {
    {
      const AlternateStack stack(2048);
      stage = 1;
      stage.wait(1);
      EXPECT_EQ(stack.used(), 0);
    }
    stage = 3;
    stage.notify_all();
    stage.wait(3);
  });
  while (stage != 1) std::this_thread::yield();
  try {
    stop(100ms);
    ADD_FAILURE() << "the program was stopped";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("has an alternate signal stack that is too small"), std::string::npos)
        << error.what();
  }
  stage = 2;
  stage.notify_all();
  while (stage != 3) std::this_thread::yield();
  EXPECT_NO_THROW(stop());  // with its stack of before
  stage = 4;
  stage.notify_all();
}

TEST(StoppedWorld, ASmallAlternateStackIsRememberedWhenAnotherThreadGivesItsOwnBack) {
  std::atomic<bool> is_ready{false};
  std::jthread thread([&](const std::stop_token& token) {
    const AlternateStack stack(2048);
    is_ready = true;
    while (!token.stop_requested()) std::this_thread::yield();
    EXPECT_EQ(stack.used(), 0);
  });
  while (!is_ready) std::this_thread::yield();
  std::jthread([] { const AlternateStack stack(2048); }).join();
  EXPECT_THROW(stop(100ms), Error);
}

TEST(StoppedWorld, AThreadThatEndedWithASmallAlternateStackIsForgotten) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer takes the alternate stack of a thread that ends for its own, and unmaps it";
#endif
  for (int round = 0; round < 200; ++round)
    std::jthread([] {
      static std::array<char, 2048> small;
      stack_t stack{};
      stack.ss_sp = small.data();
      stack.ss_size = small.size();
      EXPECT_EQ(sigaltstack(&stack, nullptr), 0);
    }).join();
  EXPECT_NO_THROW(stop());
}

TEST(StoppedWorld, AThreadMayTakeASmallAlternateStackWhileItIsBeingStopped) {
  std::jthread thread([](const std::stop_token& token) {
    while (!token.stop_requested()) const AlternateStack stack(2048);
  });
  for (int round = 0; round < 100; ++round) try {
      stop(20ms);
    } catch (const Error&) {  // the thread had its small stack all that time
    }
}

TEST(StoppedWorld, AProgramThatHasResetItsHandlersCanBeStopped) {
  for (const sighandler_t reset : {SIG_DFL, SIG_IGN}) {
    ::signal(stop_signal(), reset);
    EXPECT_NO_THROW(stop());
  }
}

constexpr std::uint64_t secret = 0x5ec4e7'0123'4567;

/// Not checked by the address sanitizer, whose markers lie between the variables of a stack.
[[gnu::no_sanitize_address]] bool has_word(std::span<const std::uint64_t> words, std::uint64_t wanted) {
  for (const std::uint64_t& word : words)
    if (word == wanted) return true;
  return false;
}

/// Whether some thread but the calling one has the word.
bool others_have(const StoppedWorld& stopped, std::uint64_t wanted) {
  bool has = false;
  for (ThreadId thread : stopped.threads().first(stopped.thread_count()))
    stopped.visit_words(thread, [&](std::span<const std::uint64_t> words) { has = has || has_word(words, wanted); });
  return has;
}

/// Keeps `word` in the register or the place that `hold` puts it in until `done`.
void expect_seen(
    const std::function<void(std::uint64_t word, std::atomic<bool>& begun, std::atomic<bool>& done)>& hold) {
  std::atomic<bool> begun{false};
  std::atomic<bool> done{false};
  volatile std::uint64_t mixed = ~secret;
  std::jthread thread([&] { hold(~mixed, begun, done); });
  while (!begun) std::this_thread::yield();
  EXPECT_TRUE(others_have(*stop(), secret));
  EXPECT_FALSE(others_have(*stop(), secret - 1));
  done = true;
  done.notify_all();
}

TEST(StoppedWorld, WordsOnAThreadsStackAreSeen) {
  expect_seen([](std::uint64_t word, std::atomic<bool>& begun, std::atomic<bool>& done) {
    volatile std::uint64_t place = word;
    begun = true;
    done.wait(false);
    EXPECT_NE(place, 0u);
  });
}

TEST(StoppedWorld, WordsInAThreadsVectorRegistersAreSeen) {
  expect_seen([](std::uint64_t word, std::atomic<bool>& begun, std::atomic<bool>& done) {
    begun = true;
    while (!done) asm volatile("movq %0, %%xmm11\n\tpause\n\tpause" : : "r"(word) : "xmm11");
  });
}

TEST(StoppedWorld, WordsBelowASignalsOwnStackAreSeen) {
  static std::atomic<bool>* handler_begun;
  static std::atomic<bool>* handler_done;
  expect_seen([](std::uint64_t word, std::atomic<bool>& begun, std::atomic<bool>& done) {
    handler_begun = &begun;
    handler_done = &done;
    std::vector<char> memory(std::size_t{64} * 1024);
    stack_t own{};
    own.ss_sp = memory.data();
    own.ss_size = memory.size();
    stack_t before{};
    ASSERT_EQ(sigaltstack(&own, &before), 0);
    struct sigaction action {};
    action.sa_flags = SA_ONSTACK;
    action.sa_handler = [](int) {
      *handler_begun = true;
      handler_done->wait(false);
    };
    struct sigaction earlier {};
    ASSERT_EQ(sigaction(SIGUSR2, &action, &earlier), 0);
    volatile std::uint64_t place = word;
    raise(SIGUSR2);
    EXPECT_NE(place, 0u);
    sigaction(SIGUSR2, &earlier, nullptr);
    sigaltstack(&before, nullptr);
  });
}

TEST(StoppedWorld, TheCallInWhichAStoppedThreadWaitsIsToldFromOneOfItsOwn) {
  std::atomic<pid_t> task{0};
  std::atomic<bool> done{false};
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::jthread thread([&] {
    task = ::gettid();
    while (!done) std::this_thread::yield();
    char letter = 0;
    EXPECT_EQ(::read(ends[0], &letter, 1), 0);
  });
  while (task == 0) std::this_thread::yield();
  const auto await_call = [&](long number) {
    BlockedCall call = blocked_call(task);
    for (; call.number != number; call = blocked_call(task)) std::this_thread::yield();
    return call;
  };
  {
    const std::unique_ptr<StoppedWorld> stopped = stop();
    EXPECT_TRUE(is_wait_for_release(await_call(SYS_futex)));
  }
  done = true;
  EXPECT_FALSE(is_wait_for_release(await_call(SYS_read)));
  ::close(ends[1]);
  thread.join();
  ::close(ends[0]);
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
                  mine.task = own_task();
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
    task = own_task();
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

TEST(StoppedWorld, AThreadThatWaitsForAllSignalsIsNamedAndNotDisturbed) {
  std::atomic<pid_t> task{0};
  std::atomic<int> got{0};
  std::thread waiter([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    pthread_setname_np(pthread_self(), "signals");
    task = own_task();
    int signal = 0;
    sigwait(&all, &signal);
    got = signal;
  });
  while (task == 0) std::this_thread::yield();
  await_blocked(task);
  try {
    stop(50ms);
    ADD_FAILURE() << "a thread in sigwait cannot have stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::thread_unstoppable);
    EXPECT_NE(std::string(error.what()).find("signals (" + std::to_string(task) + ") waits in sigwait"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(got, 0);
  pthread_kill(waiter.native_handle(), SIGUSR2);
  waiter.join();
  EXPECT_EQ(got, SIGUSR2);
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

/// As if another thread forks while this one stops the program: the child has neither the holder of the stop mutex nor
/// the threads that it has stopped.
TEST(StoppedWorld, AChildThatWasForkedDuringAStopIsStoppedLikeAnyProcess) {
  std::unique_ptr<StoppedWorld> stopped = stop();
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<bool> is_done{false};
    std::thread worker([&is_done] {
      while (!is_done) std::this_thread::yield();
    });
    int result = 1;
    try {
      result = stop(20s)->thread_count() == 1 ? 0 : 2;
    } catch (const Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    is_done = true;
    worker.join();
    _exit(result);
  }
  stopped.reset();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(StoppedWorld, TwoStopsComeOneAfterTheOther) {
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
}  // namespace moult::internal
