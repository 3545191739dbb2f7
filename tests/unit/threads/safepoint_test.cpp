// Where a thread may be stopped, and where it is released first.
#include "threads/safepoint.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "moult/error.hpp"
#include "stopping.hpp"

#ifdef __SANITIZE_ADDRESS__
// It keeps what is freed, and then gives megabytes back in one call: on a busy machine, none lets a thread out of that
// in time.
extern "C" const char* __asan_default_options() {  // NOLINT(*-reserved-identifier)
  return "quarantine_size_mb=0:thread_local_quarantine_size_kb=0";
}
#endif

namespace moult::internal {
namespace {

TEST(Safepoint, AThreadInMallocIsLetOutFirst) {
  constexpr std::size_t shared = 2000;  // too large for what libc keeps for each thread alone
  ::mallopt(M_ARENA_MAX, 1);            // and so all threads take one lock
  std::vector<std::jthread> workers;
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([](std::stop_token token) {
      while (!token.stop_requested()) {
        std::vector<std::string> strings;
        for (std::size_t n = 1; n < 200; ++n) strings.emplace_back(shared + n * 7, 'x');
      }
    });
  for (int round = 0; round < 100; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    // Would wait for ever if a stopped thread held the lock.
    std::vector<std::string> strings;
    for (std::size_t n = 1; n < 50; ++n) strings.emplace_back(n * 300, 'y');
  }
}

TEST(Safepoint, AThreadInStdioIsLetOutFirst) {
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

TEST(Safepoint, AThreadThatDoesNothingButPrintIsSteppedOut) {
  FILE* nowhere = fopen("/dev/null", "w");
  std::atomic<long> prints{0};
  {
    std::jthread printer([&](std::stop_token token) {
      while (!token.stop_requested()) {
        fprintf(nowhere, "%ld %f\n", prints.fetch_add(1), 0.1);
        fflush(nowhere);
      }
    });
    for (int round = 0; round < 30; ++round) {
      std::unique_ptr<StoppedWorld> stopped = stop();
      fprintf(nowhere, "would wait for ever for the stream's lock\n");
      long before = prints;
      stopped.reset();
      while (prints < before + 1000) std::this_thread::yield();
    }
  }
  fclose(nowhere);
}

TEST(Safepoint, AThreadInStdioIsLetOutAlsoWhereACallWasMadeByAJump) {
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

TEST(Safepoint, AStaticVariableInInitialisationIsWaitedFor) {
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
    stop(1s);  // in which the worker gets a processor
    ADD_FAILURE() << "stopped in the middle of a static variable's initialisation";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::thread_unstoppable);
    EXPECT_NE(std::string(error.what()).find("slow"), std::string::npos) << error.what();
  }
  leave = true;
  worker.join();
  EXPECT_NO_THROW(stop());
}

TEST(Safepoint, AThreadThatHoldsALockOfMoultIsLetOutFirst) {
  Guarded<int> guarded(0);
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&guarded](std::stop_token token) {
      while (!token.stop_requested()) guarded.with([](int& number) { ++number; });
    });
  for (int round = 0; round < 40; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    guarded.with([](int& number) { ++number; });
  }
}

TEST(Safepoint, AThreadThatWaitsForALockOfMoultMayStay) {
  Guarded<bool> ready(false);
  std::jthread waiter([&ready] {
    ready.wait_until(
        std::chrono::steady_clock::time_point::max(), [](bool is_ready) { return is_ready; }, [](bool&, bool) {});
  });
  for (int round = 0; round < 50; ++round) EXPECT_NO_THROW(stop(1s));
  ready.with([](bool& is_ready) { is_ready = true; });
  ready.notify();
}

extern "C" void spin_without_unwind_information(std::atomic<bool>* entered, std::atomic<bool>* leave);
asm(R"(
  .text
  .type spin_without_unwind_information, @function
spin_without_unwind_information:
  movb $1, (%rdi)
1:
  pause
  cmpb $0, (%rsi)
  je 1b
  ret
  .size spin_without_unwind_information, .-spin_without_unwind_information
)");

TEST(Safepoint, ALockBehindAFrameWithoutUnwindInformationIsSeen) {
  struct Spin {
    std::atomic<bool> entered{false};
    std::atomic<bool> leave{false};
  } spin;
  auto write = [](void* data, const char*, std::size_t size) {
    spin_without_unwind_information(&static_cast<Spin*>(data)->entered, &static_cast<Spin*>(data)->leave);
    return static_cast<ssize_t>(size);
  };
  FILE* stream = fopencookie(&spin, "w", {.read = nullptr, .write = write, .seek = nullptr, .close = nullptr});
  ASSERT_NE(stream, nullptr);
  std::thread writer([stream] {
    fputs("text", stream);
    fflush(stream);
  });
  while (!spin.entered) std::this_thread::yield();
  try {
    stop(1s);  // in which the thread gets a processor
    ADD_FAILURE() << "stopped while a thread holds a stream's lock";
  } catch (const Error& error) {
    for (const char* words :
         {"a frame without unwind information", "spin_without_unwind_information, called from _IO_"})
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
  spin.leave = true;
  writer.join();
  EXPECT_NO_THROW(stop());
  fclose(stream);
}

TEST(Safepoint, AStopThatWasRefusedForLongSucceedsAsSoonAsItCan) {
  static std::atomic<bool> entered{false};
  struct Slow {
    Slow() {
      entered = true;
      const auto end = std::chrono::steady_clock::now() + 2s;  // after a hundred attempts that are given up at once
      while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    }
  };
  std::jthread worker([](const std::stop_token& token) {
    static Slow slow;
    (void)slow;
    while (!token.stop_requested()) std::this_thread::yield();
  });
  while (!entered) std::this_thread::yield();
  EXPECT_NO_THROW(stop(5s));
}

TEST(Safepoint, AThreadThatWaitsForAnotherToEndMayStay) {
  std::atomic<pid_t> waiter_task{0};
  std::binary_semaphore end{0};
  std::thread worker([&end] { end.acquire(); });
  std::thread waiter([&] {
    waiter_task = own_task();
    worker.join();
  });
  while (waiter_task == 0) std::this_thread::yield();
  await_blocked(waiter_task);
  for (int round = 0; round < 50; ++round) EXPECT_NO_THROW(stop());
  end.release();
  waiter.join();
}

/// With a stack so large that libc gives it back when it is joined, with the lock of its list of threads.
void start_and_join() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{64} << 20);
  pthread_t thread;
  if (pthread_create(
          &thread, &attributes, [](void*) -> void* { return nullptr; }, nullptr) == 0)
    pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(Safepoint, AThreadThatJoinsAnotherIsLetOutFirst) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([](std::stop_token token) {
      while (!token.stop_requested()) start_and_join();
    });
  for (int round = 0; round < 200; ++round) {
    std::unique_ptr<StoppedWorld> stopped = stop();
    start_and_join();  // would wait for ever if a stopped thread held the lock of libc's list
  }
}

void expect_refused(const char* why, const char* function) {
  try {
    stop(1s);  // in which the thread gets a processor
    ADD_FAILURE() << "stopped while a thread may hold an allocator's lock";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::thread_unstoppable);
    for (const char* words : {why, function})
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

/// A library with a malloc of its own.
class AnotherAllocator : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(library, nullptr) << dlerror(); }

  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(library, name));
  }

  /// A thread with nothing of the program's on its stack.
  pthread_t start(const char* name, void* argument) const {
    pthread_t thread{};
    EXPECT_EQ(pthread_create(&thread, nullptr, function<void*(void*)>(name), argument), 0);
    return thread;
  }

  void* const library = dlopen(ALLOCATOR, RTLD_NOW | RTLD_LOCAL);
};

TEST_F(AnotherAllocator, IsLetOutOfWhatItDoesWhenAThreadEnds) {
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key, function<void(void*)>("clean_up")), 0);
  std::atomic<int> state{0};
  std::thread ending([&] { pthread_setspecific(key, &state); });
  while (state == 0) std::this_thread::yield();
  expect_refused("is just starting or ending", "clean_up");
  state = 2;
  ending.join();
  EXPECT_NO_THROW(stop());
  pthread_key_delete(key);
}

TEST_F(AnotherAllocator, IsLetOutWhereAThreadOfItsOwnWaitsForALock) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  pthread_t thread = start("wait_for_lock", &mutex);
  look_away();
  expect_refused("is just starting or ending", "wait_for_lock");
  pthread_mutex_unlock(&mutex);
  pthread_join(thread, nullptr);
  EXPECT_NO_THROW(stop());
}

TEST_F(AnotherAllocator, IsLetOutOfFunctionsThatAreNotKnownToAllocate) {
  std::atomic<int> state{0};
  std::thread caller([&] { function<void(void*)>("clean_up")(&state); });
  while (state == 0) std::this_thread::yield();
  expect_refused("is in the library that allocates memory", "clean_up");
  state = 2;
  caller.join();
  EXPECT_NO_THROW(stop());
}

TEST_F(AnotherAllocator, MayStandBetweenTheProgramAndTheLockThatItWaitsFor) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  std::thread caller([&] { function<void*(void*)>("wait_for_lock")(&mutex); });
  for (int round = 0; round < 50; ++round) EXPECT_NO_THROW(stop(1s));
  pthread_mutex_unlock(&mutex);
  caller.join();
}

TEST_F(AnotherAllocator, MayWaitForWorkInAThreadOfItsOwn) {
  sem_t work;
  sem_init(&work, 0, 0);
  pthread_t thread = start("wait_for_work", &work);
  for (int round = 0; round < 50; ++round) EXPECT_NO_THROW(stop(1s));
  sem_post(&work);
  pthread_join(thread, nullptr);
}

/// An allocator that is linked into the program. Its exported function is not on the stack while its work is done.
extern "C" void malloc_stats_of(std::atomic<int>* state) asm("malloc_stats");
asm(R"(
  .text
  .globl malloc_stats
  .type malloc_stats, @function
malloc_stats:
  .cfi_startproc
  testq %rdi, %rdi
  jne spin_for_malloc_stats
  ret
  .cfi_endproc
  .size malloc_stats, .-malloc_stats
  .type spin_for_malloc_stats, @function
spin_for_malloc_stats:
  .cfi_startproc
  movl $1, (%rdi)
1:
  pause
  cmpl $1, (%rdi)
  je 1b
  ret
  .cfi_endproc
  .size spin_for_malloc_stats, .-spin_for_malloc_stats
)");

TEST(Safepoint, AnAllocatorOfTheProgramsOwnIsLetOutAlsoWhereItsFunctionWasEnteredByAJump) {
  std::atomic<int> state{0};
  std::thread caller([&] {
    malloc_stats_of(&state);
    asm volatile("");  // no jump to it either
  });
  while (state == 0) std::this_thread::yield();
  expect_refused("allocates or frees memory", "spin_for_malloc_stats");
  state = 2;
  caller.join();
  EXPECT_NO_THROW(stop());
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

TEST(Safepoint, AWrongRuleInUnwindInformationIsNotFollowedIntoMemoryThatIsNotThere) {
  std::atomic<bool> entered{false};
  std::atomic<bool> leave{false};
  std::atomic<pid_t> task{0};
  std::thread worker([&] {
    task = own_task();
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

TEST(Safepoint, AThreadMayStandAtTheBeginningOfPagesWithNothingReadableBefore) {
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

}  // namespace
}  // namespace moult::internal
