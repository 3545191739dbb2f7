#include "protocol/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace moult::internal {
namespace {

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) {
  throw Error(code, path + ": " + why);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    fail(ErrorCode::invalid_argument, path, "too long for a socket's path; set XDG_RUNTIME_DIR to a shorter one");
  std::ranges::copy(path, address.sun_path);
  return address;
}

[[noreturn]] void fail_to_connect(const std::string& path, int error) {
  if (error == ENOENT) fail(ErrorCode::not_found, path, "no such socket; moult ps lists the programs");
  if (error == ECONNREFUSED)
    fail(ErrorCode::not_found, path, "nobody listens there any more: the program has ended, or its listener has");
  if (error == EACCES || error == EPERM)
    fail(ErrorCode::permission_denied, path, "this is another user's program; become that user or root");
  fail(ErrorCode::system, path, std::strerror(error));
}

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  constexpr std::int64_t an_hour = 3'600'000;  // then poll is called again
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, an_hour));
}

}  // namespace

Client Client::connect(const std::string& path, Deadline deadline) {
  const sockaddr_un address = address_of(path);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail(ErrorCode::system, path, std::strerror(errno));
  // Only a full backlog would make a Unix socket block: EAGAIN, and no event to wait for.
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EAGAIN && errno != EINTR) fail_to_connect(path, errno);
    if (std::chrono::steady_clock::now() >= deadline) fail(ErrorCode::timed_out, path, "the program accepts nobody");
    ::poll(nullptr, 0, 5);
  }
  return Client(std::move(socket), path);
}

std::optional<Peer> Client::peer() const noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return Peer{peer.pid, peer.uid};
}

std::string Client::call(const Command& command, Deadline deadline) {
  send_line(format_request({{}, command}), deadline);
  return read_line(deadline);
}

void Client::send_line(std::string_view line, Deadline deadline) {
  std::string bytes(line);
  bytes += '\n';
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      wait_for(POLLOUT, deadline);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return;  // the program may have sent the reason before it closed: read_line finds out
    } else if (errno != EINTR) {
      fail(ErrorCode::system, path_, std::strerror(errno));
    }
  }
}

std::string Client::read_line(Deadline deadline) {
  std::array<char, 65536> bytes;
  while (true) {
    if (std::optional<Line> line = splitter_.next()) {
      if (line->too_long) fail(ErrorCode::unreadable, path_, "the program's reply is longer than 64 MiB");
      return std::move(line->text);
    }
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (count > 0)
      splitter_.feed({bytes.data(), static_cast<std::size_t>(count)});
    else if (count == 0 || errno == ECONNRESET)
      fail(ErrorCode::unreadable, path_, "the program closed the connection before its reply: it may have ended");
    else if (errno == EAGAIN)
      wait_for(POLLIN, deadline);
    else if (errno != EINTR)
      fail(ErrorCode::system, path_, std::strerror(errno));
  }
}

void Client::wait_for(short events, Deadline deadline) const {
  while (true) {
    pollfd wanted{socket_.get(), events, 0};
    const int ready = ::poll(&wanted, 1, milliseconds_until(deadline));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) fail(ErrorCode::system, path_, std::strerror(errno));
    if (std::chrono::steady_clock::now() >= deadline) fail(ErrorCode::timed_out, path_, "no answer in time");
  }
}

}  // namespace moult::internal
