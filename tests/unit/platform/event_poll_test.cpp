#include "platform/event_poll.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

namespace moult::internal {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()), 0);
    near = Fd(pair[0]);
    far = Fd(pair[1]);
  }
  void call() const { EXPECT_EQ(::send(far.get(), "x", 1, MSG_NOSIGNAL), 1); }
  Fd near;
  Fd far;
};

/// The number of the other side of a Waker that is made now: the second lowest that is free.
int second_free_number() {
  const Pair pair;
  return pair.far.get();
}

/// Waits until something is ready. The kernel may end a wait earlier.
std::span<Ready> await(EventPoll& poll, std::span<Ready> buffer) {
  std::span<Ready> ready;
  while (ready.empty()) ready = poll.wait(buffer, std::nullopt);
  return ready;
}

TEST(EventPoll, TellsWhichDescriptorIsReadyAndForWhat) {
  const Pair first;
  const Pair second;
  EventPoll poll;
  poll.add(first.near, 1, {.read = true});
  poll.add(second.near, 2, {.read = true});
  second.call();
  std::array<Ready, 4> buffer;
  const std::span<Ready> ready = await(poll, buffer);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].key, 2u);
  EXPECT_TRUE(ready[0].readable);
  EXPECT_FALSE(ready[0].writable);
  EXPECT_FALSE(ready[0].is_lost);
  poll.change(2, {.write = true});
  EXPECT_TRUE(await(poll, buffer)[0].writable);
  poll.remove(2);
  EXPECT_TRUE(poll.wait(buffer, std::chrono::milliseconds(0)).empty());
}

TEST(EventPoll, ReportsEveryDescriptorInTurnThoughMoreAreReadyThanThereIsRoomFor) {
  std::vector<Pair> pairs(5);
  EventPoll poll;
  for (std::size_t each = 0; each < pairs.size(); ++each) {
    pairs[each].call();
    poll.add(pairs[each].near, each, {.read = true});
  }
  std::set<std::uint64_t> seen;
  std::array<Ready, 2> buffer;
  for (int round = 0; round < 3; ++round)
    for (const Ready& ready : await(poll, buffer)) seen.insert(ready.key);
  EXPECT_EQ(seen.size(), pairs.size());
}

TEST(EventPoll, ReportsADescriptorThatTheProgramHasClosed) {
  const Pair kept;
  const Pair closed;
  EventPoll poll;
  poll.add(kept.near, 1, {.read = true});
  poll.add(closed.near, 2, {.read = true});
  kept.call();
  ::close(closed.near.get());
  std::array<Ready, 4> buffer;
  const std::span<Ready> ready = await(poll, buffer);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].key, 2u);
  EXPECT_TRUE(ready[0].is_lost);
}

TEST(Waker, EndsAWait) {
  Waker waker;
  EventPoll poll;
  poll.add(waker.fd(), 0, {.read = true});
  std::jthread other([&] { waker.wake(); });
  std::array<Ready, 4> buffer;
  EXPECT_TRUE(await(poll, buffer)[0].readable);
  waker.drain();
  EXPECT_TRUE(poll.wait(buffer, std::chrono::milliseconds(0)).empty());
}

TEST(Waker, EndsAWaitWhenTheProgramClosesItsDescriptors) {
  const int calling = second_free_number();
  Waker waker;
  ASSERT_NE(waker.fd().get(), calling);
  EventPoll poll;
  poll.add(waker.fd(), 0, {.read = true});
  std::jthread program([&] {
    ::close(waker.fd().get());
    ::close(calling);
  });
  std::array<Ready, 4> buffer;
  while (!await(poll, buffer)[0].is_lost) continue;
}

TEST(Waker, WritesNothingIntoTheProgramsFileUnderItsNumber) {
  const int calling = second_free_number();
  Waker waker;
  const Pair programs;
  ASSERT_EQ(::dup3(programs.near.get(), calling, O_CLOEXEC), calling);
  waker.wake();
  char byte = 0;
  EXPECT_LT(::recv(programs.far.get(), &byte, 1, MSG_DONTWAIT), 0);
  ::close(calling);
}

}  // namespace
}  // namespace moult::internal
