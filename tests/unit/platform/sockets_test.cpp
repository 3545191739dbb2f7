#include "platform/sockets.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Sockets : public testing::Test {
 protected:
  Sockets() {
    std::string pattern = (fs::temp_directory_path() / "moult-sockets-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    path_ = (base_ / "1.sock").string();
  }
  ~Sockets() override { fs::remove_all(base_); }

  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  fs::path base_;
  std::string path_;
};

TEST_F(Sockets, AreForTheirOwnerAloneWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{077}, mode_t{0777}}) {
    const mode_t before = ::umask(mask);
    const PathSocket socket = listen_at(path_);
    ::umask(before);
    EXPECT_EQ(mode_of(path_), 0600u) << mask;
  }
}

TEST_F(Sockets, GoAwayWithTheirOwner) {
  { const PathSocket socket = listen_at(path_); }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Sockets, LeaveTheFileThatTookTheirPlaceAlone) {
  {
    const PathSocket socket = listen_at(path_);
    fs::remove(path_);
    std::ofstream(path_) << "another";
  }
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(Sockets, StayWhenAChildOfForkEnds) {
  const PathSocket socket = listen_at(path_);
  const pid_t child = ::fork();
  if (child == 0) {
    { OwnedPath copy = std::move(const_cast<PathSocket&>(socket).path); }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(Sockets, ReplaceOneWithoutAListener) {
  {
    PathSocket dead = listen_at(path_);
    fs::create_hard_link(path_, base_ / "kept");
  }
  fs::rename(base_ / "kept", path_);
  EXPECT_NO_THROW(listen_at(path_));
}

TEST_F(Sockets, DoNotReplaceOneWithAListener) {
  const PathSocket first = listen_at(path_);
  try {
    listen_at(path_);
    FAIL() << "it was replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("one Listener a process"));
  }
  EXPECT_TRUE(fs::is_socket(path_));
}

TEST_F(Sockets, DoNotReplaceAFile) {
  std::ofstream(path_) << "precious";
  EXPECT_THROW(listen_at(path_), Error);
  EXPECT_TRUE(fs::is_regular_file(path_));
}

TEST_F(Sockets, SayThatAPathIsTooLong) { EXPECT_THROW(listen_at((base_ / std::string(200, 'x')).string()), Error); }

TEST_F(Sockets, AFifoIsForItsOwnerAloneAndGoesAway) {
  {
    const PathSocket fifo = make_fifo(path_);
    EXPECT_TRUE(fs::is_fifo(path_));
    EXPECT_EQ(mode_of(path_), 0600u);
    EXPECT_THROW(make_fifo(path_), Error);
    char byte = 0;
    EXPECT_EQ(read_from(fifo.socket, &byte, 1).transfer, Transfer::would_block) << "an end of file";
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Sockets, AFifoLeftByAListenerThatWasKilledIsTakenOver) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  {
    const PathSocket fifo = make_fifo(path_);
    const Fd writer(::open(path_.c_str(), O_WRONLY | O_NONBLOCK));
    ASSERT_EQ(::write(writer.get(), "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(read_from(fifo.socket, &byte, 1).transfer, Transfer::moved);
    EXPECT_THROW(make_fifo(path_), Error) << "it is in use again";
  }
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Sockets, OnlyAnAbandonedFifoIsTakenOver) {
  std::ofstream(path_) << "a file";
  EXPECT_THROW(make_fifo(path_), Error);
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0620), 0);
  EXPECT_THROW(make_fifo(path_), Error) << "others may write to it";
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  {
    const Fd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK));
    EXPECT_THROW(make_fifo(path_), Error) << "somebody reads it";
  }
  EXPECT_TRUE(fs::is_fifo(path_));
}

TEST_F(Sockets, SendingToAPeerThatIsGoneRaisesNoSignal) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Fd mine(ends[0]);
  Fd(ends[1]).reset();
  EXPECT_EQ(send_to(mine, "x", 1).transfer, Transfer::ended);
}

TEST(SocketOwner, IsFoundByBothEndsInTheKernelsList) {
  std::istringstream list(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 20 4 30 10 "
      "-1\n"
      "   1: 0100007F:C002 0100007F:1F90 06 00000000:00000000 03:00000A2C 00000000     0        0 0 3 0\n"
      "   2: 0000000000000000FFFF00000100007F:C003 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 "
      "00:00000000 00000000  1001        0 4713 1 0 20 4 30 10 -1\n");
  const auto owner = [&](const std::string& peer) {
    list.clear();
    list.seekg(0);
    return owner_of_socket(list, "0100007F:" + peer, "0100007F:1F90");
  };
  EXPECT_EQ(owner("C003"), uid_t{1001});
  EXPECT_EQ(owner("C002"), std::nullopt) << "a closed socket is listed as root's";
  EXPECT_EQ(owner("C001"), std::nullopt);
}

TEST_F(Sockets, KnowTheirPeersUser) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Fd mine(ends[0]);
  const Fd theirs(ends[1]);
  EXPECT_EQ(peer_user(mine), ::geteuid());
  EXPECT_TRUE(is_trusted_user(::geteuid()));
  EXPECT_TRUE(is_trusted_user(0));
  EXPECT_FALSE(is_trusted_user(::geteuid() + 12345));
}

}  // namespace
}  // namespace moult::internal
