#include "protocol/leftovers.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "base/fd.hpp"
#include "protocol/progress_file.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;

class Leftovers : public testing::Test {
 protected:
  Leftovers() {
    std::string pattern = (fs::temp_directory_path() / "moult-left-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    fs::create_directory(base_ / "tmp");
    around_ = {.xdg_runtime_dir = "",
               .user = ::geteuid(),
               .run_user = (base_ / "run").string(),
               .temporary = (base_ / "tmp").string()};
    folder_ = make_runtime_folder(around_);
  }
  ~Leftovers() override { fs::remove_all(base_); }

  /// A socket with that process's name. It has a listener as long as the returned object exists.
  Fd put_socket(int pid) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder_ / socket_name(pid)).string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket.get(), 1), 0);
    return socket;
  }
  fs::path put_copies(int pid) const {
    fs::create_directories(folder_ / updates_name(pid) / "deep");
    return folder_ / updates_name(pid);
  }
  static int ended_process() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return child;
  }
  bool has_socket(int pid) const { return fs::exists(folder_ / socket_name(pid)); }

  fs::path base_;
  fs::path folder_;
  RuntimeSurroundings around_;
};

TEST_F(Leftovers, OfAnEndedProcessAreRemoved) {
  const int pid = ended_process();
  put_socket(pid);
  const fs::path copies = put_copies(pid);
  remove_leftovers(around_);
  EXPECT_FALSE(has_socket(pid));
  EXPECT_FALSE(fs::exists(copies));
}

TEST_F(Leftovers, TheProgressPageOfAnEndedProcessIsRemoved) {
  const fs::path ended = folder_ / progress_name(ended_process());
  const fs::path running = folder_ / progress_name(::getpid());
  for (const fs::path& page : {ended, running}) std::ofstream(page) << "page";
  remove_leftovers(around_);
  EXPECT_FALSE(fs::exists(ended));
  EXPECT_TRUE(fs::exists(running));
}

TEST_F(Leftovers, ARunningProcessHasNone) {
  put_socket(::getpid());
  const fs::path copies = put_copies(::getpid());
  remove_leftovers(around_);
  EXPECT_TRUE(has_socket(::getpid())) << "it may be about to listen";
  EXPECT_TRUE(fs::exists(copies));
}

TEST_F(Leftovers, OfAReusedPidAreRemoved) {
  put_socket(::getpid());
  fs::last_write_time(folder_ / socket_name(::getpid()),
                      fs::file_time_type::clock::now() - std::chrono::hours(24 * 365));
  remove_leftovers(around_);
  EXPECT_FALSE(has_socket(::getpid()));
}

TEST_F(Leftovers, ASocketWithAListenerIsNone) {
  const int pid = ended_process();  // as a process of another container looks from here
  const Fd listening = put_socket(pid);
  const fs::path copies = put_copies(pid);
  remove_leftovers(around_);
  EXPECT_TRUE(has_socket(pid));
  EXPECT_TRUE(fs::exists(copies));
}

TEST_F(Leftovers, OtherFilesAreLeftAlone) {
  fs::create_directory(folder_ / "mine.updates");
  fs::create_directory(folder_ / "12x.updates");
  remove_leftovers(around_);
  EXPECT_TRUE(fs::exists(folder_ / "mine.updates"));
  EXPECT_TRUE(fs::exists(folder_ / "12x.updates"));
}

}  // namespace
}  // namespace moult::internal
