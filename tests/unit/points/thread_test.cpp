#include "moult/thread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <system_error>
#include <thread>

#include "moult/error.hpp"
#include "moult/static_points.hpp"
#include "platform/tasks.hpp"
#include "points/thread.hpp"

namespace moult::internal {
namespace {

using testing::HasSubstr;

std::string refusal_of(const std::function<void()>& call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

TEST(ThreadTest, RunsItsMainWithCopiesOfItsArgumentsAndJoins) {
  std::atomic<int> sum{0};
  std::string text = "seven";
  Thread thread(
      "adder", [&sum](const std::string& word, int more) { sum = static_cast<int>(word.size()) + more; }, text, 2);
  text = "gone";
  thread.join();
  EXPECT_EQ(sum, 7);
  EXPECT_FALSE(thread.joinable());
  EXPECT_THROW(thread.join(), std::system_error);
}

TEST(ThreadTest, ItsDestructorJoins) {
  std::atomic<bool> has_ended{false};
  {
    const Thread thread("short", [&has_ended] {
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      has_ended = true;
    });
  }
  EXPECT_TRUE(has_ended);
}

TEST(ThreadTest, IsFoundByItsNameWhileItRuns) {
  std::latch may_end(1);
  Thread thread("a name of more than fifteen", [&may_end] { may_end.wait(); });
  EXPECT_EQ(get_thread_by_name("a name of more than fifteen"), thread.id());
  EXPECT_EQ(task_name(static_cast<pid_t>(thread.id())), "a name of more ");
  may_end.count_down();
  thread.join();
  EXPECT_THAT(refusal_of([] { get_thread_by_name("a name of more than fifteen"); }, ErrorCode::not_found),
              HasSubstr("no moult::Thread named \"a name of more than fifteen\" runs; there are none"));
}

TEST(ThreadTest, IsFoundByItsNewNameOnceItIsRenamed) {
  std::latch may_end(1);
  Thread thread("before", [&may_end] { may_end.wait(); });
  thread.rename("after");
  EXPECT_EQ(thread.name(), "after");
  EXPECT_EQ(get_thread_by_name("after"), thread.id());
  EXPECT_EQ(task_name(static_cast<pid_t>(thread.id())), "after");
  EXPECT_THAT(refusal_of([] { get_thread_by_name("before"); }, ErrorCode::not_found),
              HasSubstr("there are \"after\" ("));
  EXPECT_THROW(thread.rename(""), Error);
  may_end.count_down();
}

TEST(ThreadTest, OneOfSeveralOfTheSameNameIsAmbiguous) {
  std::latch may_end(1);
  const Thread one("same", [&may_end] { may_end.wait(); });
  const Thread other("same", [&may_end] { may_end.wait(); });
  EXPECT_THAT(refusal_of([] { get_thread_by_name("same"); }, ErrorCode::ambiguous),
              HasSubstr("several threads are named \"same\": \"same\" ("));
  may_end.count_down();
}

TEST(ThreadTest, IsRefusedWithoutAName) {
  EXPECT_THAT(refusal_of([] { Thread("", [] {}); }, ErrorCode::invalid_argument), HasSubstr("a thread"));
}

TEST(ThreadTest, GoesOnWhenItWasDetachedAndIsStillFound) {
  static std::latch may_end(1);
  Thread("detached", [] { may_end.wait(); }).detach();
  const ThreadId id = get_thread_by_name("detached");
  may_end.count_down();
  while (find_thread(id) != nullptr) std::this_thread::yield();
}

TEST(ThreadTest, IsTakenOffTheListHoweverItEnds) {
  Thread thread("exits", [] { ::pthread_exit(nullptr); });
  thread.join();
  EXPECT_TRUE(running_threads().empty());
}

TEST(ThreadTest, CanBeMovedAndJoinsWhatItWasBefore) {
  std::atomic<int> ended{0};
  Thread one("one", [&ended] { ++ended; });
  Thread other("other", [&ended] { ++ended; });
  one = std::move(other);
  EXPECT_GE(ended, 1);
  EXPECT_EQ(one.name(), "other");
  EXPECT_FALSE(other.joinable());  // NOLINT(bugprone-use-after-move)
  one.join();
  EXPECT_EQ(ended, 2);
}

TEST(ThreadTest, RunsItsMainAgainOrAnotherWhenItWasAskedTo) {
  std::atomic<int> firsts{0};
  std::atomic<int> seconds{0};
  Thread thread("again", [&] {
    const std::shared_ptr<ThreadBody> body = find_thread(this_thread_id());
    if (++firsts == 2) body->set_main(main_function([&seconds] { ++seconds; }, {}));
    body->ask_for_another_run();
  });
  thread.join();
  EXPECT_EQ(firsts, 2);
  EXPECT_EQ(seconds, 1);
}

TEST(ThreadTest, RunsBesideOtherKindsOfThreads) {
  std::atomic<int> ended{0};
  std::jthread standard([&ended] { ++ended; });
  pthread_t posix{};
  ASSERT_EQ(::pthread_create(
                &posix, nullptr,
                [](void* count) -> void* {
                  static_update_point("nobody waits");
                  ++*static_cast<std::atomic<int>*>(count);
                  return nullptr;
                },
                &ended),
            0);
  Thread thread("own", [&ended] { ++ended; });
  standard.join();
  ::pthread_join(posix, nullptr);
  thread.join();
  EXPECT_EQ(ended, 3);
}

/// Forks, and returns the result of `check()` in the child.
bool holds_in_child(const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ThreadTest, IsNotInAChildOfFork) {
  std::latch may_end(1);
  Thread thread("parent's", [&may_end] { may_end.wait(); });
  EXPECT_TRUE(holds_in_child([&thread] {
    thread.join();
    return !thread.joinable() && running_threads().empty();
  }));
  may_end.count_down();
}

TEST(ThreadTest, IsTheOneThreadOfAChildThatItForksItself) {
  std::atomic<bool> held{false};
  Thread thread("forks", [&held] {
    held =
        holds_in_child([] { return get_thread_by_name("forks") == this_thread_id() && running_threads().size() == 1; });
  });
  thread.join();
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace moult::internal
