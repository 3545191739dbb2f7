#include "platform/event_poll.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

epoll_event event_of(std::uint64_t key, Interest interest) noexcept {
  epoll_event event{};
  event.events = (interest.read ? unsigned{EPOLLIN} : 0u) | (interest.write ? unsigned{EPOLLOUT} : 0u);
  event.data.u64 = key;
  return event;
}

[[noreturn]] void fail(const char* what) { throw Error(ErrorCode::system, std::string(what) + std::strerror(errno)); }

}  // namespace

EventPoll::EventPoll() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) fail("an epoll descriptor: ");
}

void EventPoll::add(const Fd& fd, std::uint64_t key, Interest interest) {
  epoll_event event = event_of(key, interest);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) fail("a descriptor to wait for: ");
}

void EventPoll::change(const Fd& fd, std::uint64_t key, Interest interest) noexcept {
  epoll_event event = event_of(key, interest);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd.get(), &event);
}

void EventPoll::remove(const Fd& fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr); }

std::span<Ready> EventPoll::wait(std::span<Ready> ready, std::optional<std::chrono::milliseconds> timeout) noexcept {
  std::array<epoll_event, 32> events;
  const int most = static_cast<int>(std::min(ready.size(), events.size()));
  const int count = ::epoll_wait(epoll_.get(), events.data(), most, timeout ? static_cast<int>(timeout->count()) : -1);
  for (int each = 0; each < count; ++each) {
    const epoll_event event = events[static_cast<std::size_t>(each)];
    ready[static_cast<std::size_t>(each)] = {.key = event.data.u64,
                                             .readable = (event.events & EPOLLIN) != 0,
                                             .writable = (event.events & EPOLLOUT) != 0,
                                             .hung_up = (event.events & (EPOLLHUP | EPOLLERR)) != 0};
  }
  return ready.first(static_cast<std::size_t>(std::max(count, 0)));
}

Waker::Waker() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) fail("an event descriptor: ");
}

void Waker::wake() noexcept {
  const std::uint64_t one = 1;
  // It fails only if the counter is full, and then the other side is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void Waker::drain() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(event_.get(), &count, sizeof count);
}

}  // namespace moult::internal
