// Threads that wait for memory which a stop fills.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/reserved_memory.hpp"
#include "platform/userfaultfd.hpp"
#include "stopping.hpp"
#include "threads/service_threads.hpp"

namespace moult::internal {
namespace {

/// A page that one thread waits for.
class AwaitedPage : public testing::Test, private MemoryFilledInStop {
 protected:
  AwaitedPage() : page(reserve(size, size)), text(size) {
    commit(page, size);
    fd.watch(page, size);
    std::memcpy(text.data(), "text", 5);
  }
  ~AwaitedPage() override {
    fill();
    thread.join();
    unreserve(page, size);
  }

  /// Calls `use` in a thread of its own, and returns when that thread waits for the page.
  template <class Use>
  void begin(Use&& use) {
    thread = std::jthread(std::forward<Use>(use));
    const std::optional<MissingPage> missing = fd.next();
    ASSERT_TRUE(missing);
    task = missing->task;
  }
  void fill() { fd.fill(page, size, text.data()); }
  const char* characters() const { return reinterpret_cast<const char*>(page); }
  std::unique_ptr<StoppedWorld> stop_with_memory() {
    return StoppedWorld::stop({.timeout = 20s, .keep_out = {}, .memory = this});
  }

  bool is_awaited_by(pid_t wanted) const noexcept override { return wanted == task; }
  void map_for(pid_t) noexcept override {
    ++shown;
    fill();
  }
  void unmap() noexcept override { ++hidden; }

  const std::size_t size = page_size();
  Userfaultfd fd;
  std::byte* page;
  std::vector<std::byte> text;
  std::atomic<pid_t> task{0};
  std::atomic<int> shown{0};
  std::atomic<int> hidden{0};
  std::jthread thread;
};

/// The address sanitizer's looks at the text before it takes the stream's lock.
const auto fputs_of_libc = reinterpret_cast<decltype(&std::fputs)>(dlsym(dlopen("libc.so.6", RTLD_NOW), "fputs"));

TEST_F(AwaitedPage, AThreadThatWaitsForItInsideStdioCountsAsStopped) {
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  begin([&] { fputs_of_libc(characters(), nowhere); });
  EXPECT_THROW(stop(50ms), Error) << "by any other stop";
  std::unique_ptr<StoppedWorld> stopped = stop_with_memory();
  EXPECT_EQ(stopped->thread_count(), 1u);
  EXPECT_EQ(shown, 0);
  stopped.reset();
  fill();
  thread.join();
  std::fclose(nowhere);
  thread = std::jthread([] {});
}

TEST_F(AwaitedPage, AThreadThatWaitsForTheLockedStreamCountsAsStopped) {
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  begin([&] { std::fwrite(characters(), 1, 5, nowhere); });  // the lock is taken first
  std::atomic<pid_t> second{0};
  std::jthread other([&] {
    second = own_task();
    std::fputs("more", nowhere);
  });
  while (second == 0) std::this_thread::yield();
  await_blocked(second);
  EXPECT_EQ(stop_with_memory()->thread_count(), 2u);
  fill();
  other.join();
  thread.join();
  std::fclose(nowhere);
  thread = std::jthread([] {});
}

TEST_F(AwaitedPage, IsShownToAThreadThatWaitsInASystemCall) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  std::atomic<bool> may_end{
      false};  // a thread that was let out of an unsafe place might have ended before it is stopped
  begin([&] {
    EXPECT_EQ(::write(ends[1], characters(), 5), 5);
    may_end.wait(false);
  });
  {
    std::unique_ptr<StoppedWorld> stopped = stop_with_memory();
    EXPECT_EQ(stopped->thread_count(), 1u);
    EXPECT_GT(shown, 0);
    std::array<char, 5> got;
    EXPECT_EQ(::read(ends[0], got.data(), got.size()), 5) << "the call has come to its end";
    EXPECT_STREQ(got.data(), "text");
    hidden = 0;
  }
  EXPECT_GT(hidden, 0) << "before it goes on";
  may_end = true;
  may_end.notify_all();
  thread.join();
  ::close(ends[0]);
  ::close(ends[1]);
  thread = std::jthread([] {});
}

TEST_F(AwaitedPage, AnotherStopGivesWayToTheOneThatFillsIt) {
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  begin([&] { fputs_of_libc(characters(), nowhere); });
  std::atomic<bool> is_stopped{false};
  std::jthread filler([&] {
    const ServiceThread here;
    const std::unique_ptr<StoppedWorld> stopped = stop_with_memory();
    EXPECT_FALSE(is_stopped);
    fill();
  });
  std::unique_ptr<StoppedWorld> stopped = stop(20s);
  is_stopped = true;
  stopped.reset();
  filler.join();
  thread.join();
  std::fclose(nowhere);
  thread = std::jthread([] {});
}

}  // namespace
}  // namespace moult::internal
