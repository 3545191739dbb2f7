#include "process_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

namespace moult::internal::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A child that stops itself, and is stopped after construction.
class StoppedChild final {
 public:
  explicit StoppedChild(bool traced) : pid_(::fork()) {
    if (pid_ == 0) {
      if (traced) ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      std::raise(SIGSTOP);
      while (true) ::pause();
    }
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
  }
  ~StoppedChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  StoppedChild(const StoppedChild&) = delete;
  StoppedChild& operator=(const StoppedChild&) = delete;

  int pid() const noexcept { return pid_; }

 private:
  pid_t pid_;
};

TEST(ProcessState, TellsOneThatIsStopped) {
  const StoppedChild child(false);
  EXPECT_EQ(obstacle_in_state(child.pid()),
            "is stopped (SIGSTOP, Ctrl-Z); kill -CONT " + std::to_string(child.pid()) + " lets it go on");
}

TEST(ProcessState, TellsOneThatADebuggerHolds) {
  const StoppedChild child(true);
  EXPECT_THAT(obstacle_in_state(child.pid()), HasSubstr("is stopped by a debugger, cli_test (pid " +
                                                        std::to_string(::getpid()) + "); let it go on there"));
}

TEST(ProcessState, TakesOneThatStopsForMomentsOfItsTracerForOneThatRuns) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    std::raise(SIGSTOP);
    while (true) ::getppid();
  }
  ::waitpid(child, nullptr, 0);
  std::atomic<bool> is_done = false;
  std::thread onlooker([&] {
    for (int look = 0; look < 20; ++look) {
      EXPECT_THAT(obstacle_in_state(child), IsEmpty());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    is_done = true;
  });
  while (!is_done) {  // as strace does
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, nullptr, 0);
  }
  onlooker.join();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(ProcessState, HasNothingToSayOfOneThatRuns) {
  EXPECT_THAT(obstacle_in_state(::getpid()), IsEmpty());
  EXPECT_THAT(obstacle_in_state(999999999), IsEmpty()) << "no such process";
}

TEST(ProcessState, ThreadsMayEndWhileItLooks) {
  std::atomic<bool> is_done{false};
  std::vector<std::thread> mothers;
  for (int i = 0; i < 3; ++i)
    mothers.emplace_back([&] {
      while (!is_done) std::thread([] { std::this_thread::yield(); }).join();
    });
  for (int i = 0; i < 2000; ++i) EXPECT_NO_THROW(obstacle_in_state(::getpid()));
  is_done = true;
  for (std::thread& mother : mothers) mother.join();
}

}  // namespace
}  // namespace moult::internal::cli
