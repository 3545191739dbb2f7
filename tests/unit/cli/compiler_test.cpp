#include "compiler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <functional>

#include "failure.hpp"

namespace moult::internal::cli {
namespace {

using testing::HasSubstr;

TEST(Compiler, TellsSourcesFromSharedObjects) {
  EXPECT_TRUE(is_source("a/update.cpp"));
  EXPECT_TRUE(is_source("update.cc"));
  EXPECT_FALSE(is_source("update.so"));
  EXPECT_FALSE(is_source("cpp"));
}

TEST(Compiler, TheNoteHoldsTheRawBytesOfTheBuildId) {
  const std::string note = target_note("00ffa1");
  EXPECT_THAT(note, HasSubstr(".note.moult.target"));
  EXPECT_THAT(note, HasSubstr(".long 6, 3, 2"));
  EXPECT_THAT(note, HasSubstr(".byte 0x00, 0xff, 0xa1"));
}

/// Scratch folders in a cache of the test's own.
class Scratch : public testing::Test {
 protected:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moult-cache-XXXXXX").string();
    cache_ = ::mkdtemp(pattern.data());
    ::setenv("XDG_CACHE_HOME", cache_.c_str(), 1);
  }
  ~Scratch() override { std::filesystem::remove_all(cache_); }

 private:
  std::filesystem::path cache_;
};

TEST_F(Scratch, GoesAway) {
  std::filesystem::path path;
  {
    const ScratchFolder scratch;
    path = scratch.path();
    std::ofstream(path / "file") << "x";
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

/// The remains of the scratch folders when `signal` ends a command, and how the command ended.
int end_by(int signal, std::string& path) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const ScratchFolder scratch;
    std::ofstream(scratch.path() / "file") << "x";
    const std::string text = scratch.path().string();
    static_cast<void>(!::write(ends[1], text.data(), text.size()));
    for (;;) ::pause();
  }
  std::array<char, 1000> text{};
  EXPECT_GT(::read(ends[0], text.data(), text.size() - 1), 0);
  path = text.data();
  EXPECT_TRUE(std::filesystem::exists(path));
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (const int end : ends) ::close(end);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_F(Scratch, GoesWithTheNextOneAfterItsCommandWasKilled) {
  std::string path;
  EXPECT_EQ(end_by(SIGKILL, path), SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(path));
  { const ScratchFolder next; }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Scratch, GoesWithTheNextOneAfterItsRemovalWasInterrupted) {
  const ScratchFolder mine;
  const std::filesystem::path half_removed = mine.path().parent_path() / "moult-update-abcdef";
  std::filesystem::create_directories(half_removed / "deep");
  { const ScratchFolder next; }
  EXPECT_FALSE(std::filesystem::exists(half_removed));
}

TEST_F(Scratch, LeavesThatOfAnotherProgramAlone) {
  const ScratchFolder mine;
  const std::filesystem::path others = mine.path().parent_path() / "moult-update-of-another";
  std::filesystem::create_directories(others);
  { const ScratchFolder next; }
  EXPECT_TRUE(std::filesystem::remove(others));
}

/// A process that runs `act` in a child with pids of its own. It ends with 77 where that is not allowed.
pid_t run_in_another_pid_namespace(const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (::unshare(CLONE_NEWPID) != 0) ::_exit(77);
  const pid_t inner = ::fork();
  if (inner == 0) {
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(inner, &status, 0);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

TEST_F(Scratch, StaysWhileItsCommandRunsInWhateverPidNamespace) {
  const ScratchFolder mine;
  std::ofstream(mine.path() / "file") << "x";
  int status = 0;
  ::waitpid(run_in_another_pid_namespace([] { const ScratchFolder next; }), &status, 0);
  EXPECT_TRUE(std::filesystem::exists(mine.path() / "file"));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "a pid namespace cannot be made here";
  EXPECT_EQ(status, 0);
}

TEST_F(Scratch, GoesAwayWhenASignalEndsTheCommand) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::string path;
    EXPECT_EQ(end_by(signal, path), signal);
    EXPECT_FALSE(std::filesystem::exists(path)) << signal;
  }
}

UpdatesReply reply_with(const std::vector<UpdateState>& states, ErrorCode code) {
  UpdatesReply reply;
  reply.failure = Failure{code, ""};
  for (const UpdateState state : states) reply.updates.emplace_back().state = state;
  return reply;
}

TEST(ExitCode, IsThatOfTheWorstUpdate) {
  using enum UpdateState;
  EXPECT_EQ(exit_of_update(UpdatesReply{}), ExitCode::done);
  EXPECT_EQ(exit_of_update(reply_with({applied, failed, refused}, ErrorCode::inlined)), ExitCode::failed);
  EXPECT_EQ(exit_of_update(reply_with({queued}, ErrorCode::timed_out)), ExitCode::postponed);
  EXPECT_EQ(exit_of_update(reply_with({}, ErrorCode::not_an_update)), ExitCode::refused);
}

TEST(ExitCode, DoesNotPromiseThatNothingWillBeTouchedWhenAnUpdateGoesOn) {
  using enum UpdateState;
  EXPECT_EQ(exit_of_update(reply_with({queued, refused}, ErrorCode::inlined)), ExitCode::postponed);
  EXPECT_EQ(exit_of_update(reply_with({aborted, active}, ErrorCode::alterability)), ExitCode::postponed);
  EXPECT_EQ(exit_of_update(reply_with({queued}, ErrorCode::invalid_argument)), ExitCode::postponed)
      << "the entry threw after it";
}

TEST(ExitCode, OfADryRunIsRefusedThoughAnUpdateCouldBeQueued) {
  using enum UpdateState;
  EXPECT_EQ(exit_of_check(reply_with({queued, refused}, ErrorCode::inlined)), ExitCode::refused);
  EXPECT_EQ(exit_of_check(reply_with({queued}, ErrorCode::invalid_argument)), ExitCode::refused);
}

TEST(ExitCode, DoesNotPromiseThatNothingWasTouchedWhenSomethingIsInForce) {
  using enum UpdateState;
  EXPECT_EQ(exit_of_update(reply_with({applied, refused}, ErrorCode::inlined)), ExitCode::failed);
  EXPECT_EQ(exit_of_update(reply_with({applied, queued}, ErrorCode::timed_out)), ExitCode::failed);
  EXPECT_EQ(exit_of_update(reply_with({applied}, ErrorCode::internal)), ExitCode::failed) << "the entry threw after it";
}

}  // namespace
}  // namespace moult::internal::cli
