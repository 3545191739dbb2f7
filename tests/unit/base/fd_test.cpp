#include "base/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace moult::internal {
namespace {

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

Fd one_of_a_pipe() {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ::close(pipe[1]);
  return Fd(pipe[0]);
}

TEST(Fd, ClosesItself) {
  int number = -1;
  {
    const Fd fd = one_of_a_pipe();
    number = fd.get();
    EXPECT_TRUE(fd.is_ours());
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, LeavesAnotherFileUnderItsNumberAlone) {
  Fd fd = one_of_a_pipe();
  const int number = fd.get();
  const Fd programs(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::dup3(programs.get(), number, O_CLOEXEC), number);
  EXPECT_FALSE(fd.is_ours());
  fd.reset();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(Fd, IsNotOursWhenItsNumberIsClosed) {
  const Fd fd = one_of_a_pipe();
  ::close(fd.get());
  EXPECT_FALSE(fd.is_ours());
}

TEST(Fd, KeepsItsIdentityWhenMoved) {
  Fd first = one_of_a_pipe();
  const int number = first.get();
  Fd second(std::move(first));
  first = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(first.is_ours());
  EXPECT_TRUE(second.is_ours());
  std::swap(first, second);
  EXPECT_EQ(first.get(), number);
  EXPECT_TRUE(first.is_ours());
  EXPECT_TRUE(second.is_ours());
}

TEST(Fd, ThatIsNoneIsNobodys) {
  EXPECT_FALSE(Fd().is_ours());
  EXPECT_FALSE(Fd(-1).is_ours());
}

}  // namespace
}  // namespace moult::internal
