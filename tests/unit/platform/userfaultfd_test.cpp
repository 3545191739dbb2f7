#include "platform/userfaultfd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/reserved_memory.hpp"
#include "platform/tasks.hpp"

namespace moult::internal {
namespace {

class WatchedPages : public testing::Test {
 protected:
  static constexpr std::size_t size = std::size_t{4} << 20;

  WatchedPages() : pages(reserve(size, size)), aside(reserve(size, size)) {
    commit(pages, size);
    for (std::size_t i = 0; i < size; i += page_size())
      std::memset(pages + i, static_cast<int>(1 + i / page_size()), 64);
  }
  ~WatchedPages() override {
    unreserve(pages, size);
    unreserve(aside, size);
  }

  void hide() {
    fd.watch(pages, size);
    ASSERT_TRUE(move_pages(pages, aside, size));
  }
  std::byte value_of(std::size_t page) const { return std::byte{static_cast<unsigned char>(1 + page)}; }

  std::byte* pages;
  std::byte* aside;
  Userfaultfd fd;
};

TEST_F(WatchedPages, AThreadThatAccessesOneWaitsUntilItIsFilled) {
  hide();
  std::atomic<bool> is_through{false};
  std::atomic<pid_t> task{0};
  std::jthread toucher([&] {
    task = own_task();
    EXPECT_EQ(*(pages + 3 * page_size()), value_of(3));
    is_through = true;
  });
  std::optional<MissingPage> missing = fd.next();
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->page, pages + 3 * page_size());
  EXPECT_EQ(missing->task, task);
  EXPECT_FALSE(is_through);
  fd.fill(pages, 8 * page_size(), aside);
  toucher.join();
  EXPECT_EQ(*pages, value_of(0)) << "and its neighbours are there as well";
}

TEST_F(WatchedPages, FilledSilentlyTheyArePresentAndWaitingThreadsWaitOn) {
  hide();
  std::atomic<bool> is_through{false};
  std::jthread toucher([&] {
    EXPECT_EQ(*(pages + 3 * page_size()), value_of(3));
    is_through = true;
  });
  std::optional<MissingPage> missing = fd.next();
  ASSERT_TRUE(missing);
  fd.fill_silently(pages, 8 * page_size(), aside);
  EXPECT_EQ(*(pages + 3 * page_size()), value_of(3));
  BlockedCall where;
  while (where.program_counter == 0) where = blocked_call(missing->task);
  EXPECT_EQ(where.number, -1) << "at an instruction, in no system call";
  EXPECT_FALSE(is_through);
  fd.wake(pages, 8 * page_size());
  toucher.join();
  EXPECT_TRUE(is_through);
}

TEST_F(WatchedPages, MovedIntoPlaceTheyAreAsTheyWere) {
  hide();
  for (Userfaultfd::Moves moves : {Userfaultfd::Moves::where_possible, Userfaultfd::Moves::never}) {
    SCOPED_TRACE(static_cast<int>(moves));
    fd = Userfaultfd(moves);
    fd.watch(pages, size);
    std::jthread toucher([&] { EXPECT_EQ(*(pages + 3 * page_size()), value_of(3)); });
    std::optional<MissingPage> missing = fd.next();
    ASSERT_TRUE(missing);
    fd.move(pages, 8 * page_size(), aside);
    toucher.join();
    for (std::size_t page = 0; page < 8; ++page) EXPECT_EQ(*(pages + page * page_size()), value_of(page));
    fd.unwatch(pages, size);
    ASSERT_TRUE(move_pages(pages, aside, size));
  }
}

TEST_F(WatchedPages, PagesThatCannotBeMovedAreCopiedOrLeft) {
  hide();
  fd.fill(pages, page_size(), aside + page_size());
  discard(aside + 2 * page_size(), page_size());
  const pid_t child = ::fork();
  if (child == 0) ::pause();
  fd.move(pages, 8 * page_size(), aside);
  EXPECT_EQ(*pages, value_of(1)) << "what is there stays";
  EXPECT_EQ(*(pages + 1 * page_size()), value_of(1)) << "shared with a child";
  EXPECT_EQ(*(pages + 2 * page_size()), std::byte{0}) << "where nothing was";
  EXPECT_EQ(*(pages + 3 * page_size()), value_of(3));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(WatchedPages, ASystemCallWaitsAsWell) {
  if (!fd.serves_kernel()) GTEST_SKIP() << "not allowed here";
  hide();
  Fd zeros(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  std::jthread toucher([&] { EXPECT_EQ(::read(zeros.get(), pages + 16, 8), 8); });
  std::optional<MissingPage> missing = fd.next();
  ASSERT_TRUE(missing);
  fd.fill(missing->page, page_size(), aside);
  toucher.join();
  EXPECT_EQ(pages[8], value_of(0));
  EXPECT_EQ(pages[16], std::byte{0});
}

TEST_F(WatchedPages, APresentPageStaysWhenItIsFilledAgain) {
  hide();
  fd.fill(pages, page_size(), aside);
  pages[0] = std::byte{77};
  fd.fill(pages, 4 * page_size(), aside);
  EXPECT_EQ(pages[0], std::byte{77});
  EXPECT_EQ(pages[3 * page_size()], value_of(3));
  fd.fill_with_zeros(pages, size);
  EXPECT_EQ(pages[3 * page_size()], value_of(3));
  EXPECT_EQ(pages[4 * page_size()], std::byte{0});
}

/// The number of the process's only userfaultfd.
int number_of_userfaultfd() {
  for (int number = 0; number < 1024; ++number) {
    std::array<char, 64> name{};
    const std::string link = "/proc/self/fd/" + std::to_string(number);
    if (::readlink(link.c_str(), name.data(), name.size() - 1) > 0 &&
        std::string_view(name.data()) == "anon_inode:[userfaultfd]")
      return number;
  }
  return -1;
}

TEST(Userfaultfd, ThatTheProgramHasClosedLeavesTheFileUnderItsNumberAlone) {
  Userfaultfd fd;
  const int number = number_of_userfaultfd();
  EXPECT_FALSE(fd.is_lost());
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const Fd programs(pipe[0]);
  const Fd writer(pipe[1]);
  ASSERT_EQ(::write(writer.get(), "kept", 4), 4);
  ASSERT_EQ(::dup3(programs.get(), number, O_CLOEXEC), number);
  EXPECT_TRUE(fd.is_lost());
  EXPECT_FALSE(fd.next());
  std::byte page{};
  EXPECT_THROW(fd.watch(&page, page_size()), Error);
  std::array<char, 8> bytes{};
  EXPECT_EQ(::read(number, bytes.data(), bytes.size()), 4);
  ::close(number);
}

TEST_F(WatchedPages, UnwatchedOnesAreZerosWithoutHelp) {
  hide();
  fd.unwatch(pages, size);
  EXPECT_EQ(pages[0], std::byte{0});
}

TEST_F(WatchedPages, MovedPagesComeBackAsTheyWere) {
  for (int round = 0; round < 100; ++round) {
    hide();
    fd.fill(pages, page_size(), aside + page_size());
    ASSERT_TRUE(move_pages(aside, pages, size));
    for (std::size_t page = 0; page < 64; ++page) ASSERT_EQ(*(pages + page * page_size()), value_of(page));
    ASSERT_EQ(*(aside + page_size()), std::byte{0});
  }
}

TEST_F(WatchedPages, ThoseOfSeveralMappingsMoveTogether) {
  address_space().protect(reinterpret_cast<std::uintptr_t>(pages) + 5 * page_size(), page_size(), Protection::read);
  ASSERT_TRUE(move_pages(pages, aside, size));
  EXPECT_EQ(*(aside + 4 * page_size()), value_of(4));
  EXPECT_EQ(*(aside + 5 * page_size()), value_of(5));
  EXPECT_EQ(*(aside + 6 * page_size()), value_of(6));
  EXPECT_EQ(*pages, std::byte{0});
}

}  // namespace
}  // namespace moult::internal
