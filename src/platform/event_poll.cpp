#include "platform/event_poll.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::chrono::milliseconds longest_wait{10'000};

short events_of(Interest interest) noexcept {
  return static_cast<short>((interest.read ? POLLIN : 0) | (interest.write ? POLLOUT : 0));
}

Ready ready_of(std::uint64_t key, short events) noexcept {
  return {.key = key,
          .readable = (events & POLLIN) != 0,
          .writable = (events & POLLOUT) != 0,
          .hung_up = (events & (POLLHUP | POLLERR)) != 0,
          .is_lost = (events & POLLNVAL) != 0};
}

}  // namespace

void EventPoll::add(const Fd& fd, std::uint64_t key, Interest interest) {
  entries_.reserve(entries_.size() + 1);
  waits_.push_back({});
  entries_.push_back({&fd, key, interest});
}

void EventPoll::change(std::uint64_t key, Interest interest) noexcept {
  for (Entry& entry : entries_)
    if (entry.key == key) entry.interest = interest;
}

void EventPoll::remove(std::uint64_t key) noexcept {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.key == key; });
  waits_.resize(entries_.size());
}

std::span<Ready> EventPoll::find_lost(std::span<Ready> ready) const noexcept {
  std::size_t count = 0;
  for (const Entry& entry : entries_)
    if (count < ready.size() && !entry.fd->is_ours()) ready[count++] = {.key = entry.key, .is_lost = true};
  return ready.first(count);
}

std::span<Ready> EventPoll::wait(std::span<Ready> ready, std::optional<std::chrono::milliseconds> timeout) noexcept {
  if (const std::span<Ready> lost = find_lost(ready); !lost.empty()) return lost;
  for (std::size_t each = 0; each < entries_.size(); ++each)
    waits_[each] = {.fd = entries_[each].fd->get(), .events = events_of(entries_[each].interest), .revents = 0};
  const std::chrono::milliseconds longest = std::min(timeout.value_or(longest_wait), longest_wait);
  if (::poll(waits_.data(), waits_.size(), static_cast<int>(longest.count())) <= 0) return {};
  std::size_t count = 0;
  const std::size_t first = std::exchange(first_, 0);
  for (std::size_t step = 0; step < waits_.size(); ++step) {
    const std::size_t each = (first + step) % waits_.size();
    if (waits_[each].revents == 0) continue;
    if (count == ready.size()) {
      first_ = each;
      break;
    }
    ready[count++] = ready_of(entries_[each].key, waits_[each].revents);
  }
  return ready.first(count);
}

Waker::Waker() {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0)
    throw Error(ErrorCode::system, std::string("a pair of sockets: ") + std::strerror(errno));
  hearing_ = Fd(pair[0]);
  calling_ = Fd(pair[1]);
}

void Waker::wake() noexcept {
  // It fails only if the other side has not been read for long, and then it is awake anyway.
  if (calling_.is_ours()) ::send(calling_.get(), "", 1, MSG_NOSIGNAL);
}

void Waker::drain() noexcept {
  std::array<char, 4096> calls;
  while (hearing_.is_ours() && ::recv(hearing_.get(), calls.data(), calls.size(), 0) > 0) continue;
}

}  // namespace moult::internal
