#include "platform/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/proc.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr int backlog = 64;

[[noreturn]] void fail(const std::string& what, const std::string& next_step) {
  throw Error(ErrorCode::system, what + ": " + std::strerror(errno) + next_step);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    throw Error(ErrorCode::invalid_argument, path + ": too long for a socket's path, which has at most " +
                                                 std::to_string(sizeof(address.sun_path) - 1) +
                                                 " bytes; set XDG_RUNTIME_DIR to a shorter one");
  std::ranges::copy(path, address.sun_path);
  return address;
}

Fd new_socket(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail("a listener's socket", "");
  return socket;
}

/// As in /proc/net/tcp.
std::string spelling_of(const sockaddr_in& address) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%08X:%04X", address.sin_addr.s_addr, unsigned{ntohs(address.sin_port)});
  return text.data();
}

bool somebody_listens(const sockaddr_un& address) {
  const Fd probe = new_socket(AF_UNIX);
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

/// Removes the socket of an ended process that had the same pid.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode))
    throw Error(ErrorCode::invalid_argument, path + ": is no socket, so it is not replaced; remove it");
  if (somebody_listens(address))
    throw Error(ErrorCode::invalid_argument, path + ": somebody listens there already; one Listener a process");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail(path, "; an old socket that cannot be removed");
}

[[noreturn]] void refuse_fifo(const std::string& path, const char* why) {
  throw Error(ErrorCode::invalid_argument,
              path + ": exists already, and " + why + "; remove it or choose another path");
}

/// Checks that no process has it open for reading: then a listener that was killed has left it.
void check_abandoned(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) refuse_fifo(path, "is no FIFO");
  const Fd writer(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (writer) refuse_fifo(path, "somebody reads it");
  if (errno != ENXIO) fail(path, "; an old FIFO that cannot be taken over");
}

void check_own_fifo(const std::string& path, const Fd& fifo) {
  struct stat status {};
  if (::fstat(fifo.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) refuse_fifo(path, "is no FIFO");
  if (status.st_uid != ::geteuid()) refuse_fifo(path, "belongs to another user");
  if ((status.st_mode & 077) != 0) refuse_fifo(path, "is open to other users");
}

}  // namespace

PathSocket listen_at(const std::string& path) {
  const sockaddr_un address = address_of(path);
  remove_stale(path, address);
  Fd socket = new_socket(AF_UNIX);
  // Linux gives the socket's name the mode of the unbound socket. So there is no moment with more rights, and no change
  // of the umask, which all threads of the program share.
  if (::fchmod(socket.get(), 0600) != 0) fail(path, "");
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(path, "");
  OwnedPath owned(path);
  if (::chmod(path.c_str(), 0600) != 0) fail(path, "");  // a umask may have taken the owner's own rights
  if (::listen(socket.get(), backlog) != 0) fail(path, "");
  return {std::move(socket), std::move(owned)};
}

Fd listen_on_loopback(std::uint16_t port) {
  Fd socket = new_socket(AF_INET);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), backlog) != 0)
    fail("127.0.0.1 port " + std::to_string(port), "; choose another tcp_port");
  return socket;
}

PathSocket make_fifo(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) {
    if (errno != EEXIST) fail(path, "; a PipeListener needs a folder it may write to");
    check_abandoned(path);
  }
  // Opened for writing too. Otherwise each writer that leaves causes an end of file, again and again.
  Fd fifo(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!fifo) fail(path, "");
  check_own_fifo(path, fifo);
  // If two processes find it abandoned at once, only one gets the lock, which ends with its process.
  if (::flock(fifo.get(), LOCK_EX | LOCK_NB) != 0) refuse_fifo(path, "another listener reads it");
  return {std::move(fifo), OwnedPath(path)};
}

Accepted accept_from(const Fd& listening) noexcept {
  if (!listening.is_ours()) return {};
  Fd socket(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) return {AcceptOutcome::accepted, std::move(socket)};
  const bool full = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
  return {full ? AcceptOutcome::out_of_descriptors : AcceptOutcome::nobody, Fd()};
}

std::optional<uid_t> peer_user(const Fd& socket) noexcept {
  if (!socket.is_ours()) return std::nullopt;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

std::optional<uid_t> owner_of_socket(std::istream& list, const std::string& local, const std::string& remote) {
  for (std::string line; std::getline(list, line);) {
    std::istringstream fields(line);
    std::string number, own, other, state, queues, timer, retransmits, timeout;
    uid_t owner = 0;
    unsigned long inode = 0;  // 0 for a closed socket, whose owner is not known any more
    if (!(fields >> number >> own >> other >> state >> queues >> timer >> retransmits >> owner >> timeout >> inode))
      continue;
    if (inode != 0 && own.ends_with(local) && other.ends_with(remote)) return owner;
  }
  return std::nullopt;
}

std::optional<uid_t> loopback_peer_user(const Fd& socket) {
  sockaddr_in own{};
  sockaddr_in peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0)
    return std::nullopt;
  for (const char* const name : {"/net/tcp", "/net/tcp6"}) {  // a socket of IPv6 can connect to an IPv4 address
    std::ifstream list(std::string(proc::own_folder) + name);
    if (const std::optional<uid_t> owner = owner_of_socket(list, spelling_of(peer), spelling_of(own))) return owner;
  }
  return std::nullopt;
}

bool is_trusted_user(uid_t user) noexcept { return user == ::geteuid() || user == 0; }

TransferResult read_from(const Fd& source, char* bytes, std::size_t size) noexcept {
  if (!source.is_ours()) return {Transfer::ended, 0};
  const ssize_t count = ::read(source.get(), bytes, size);
  if (count > 0) return {Transfer::moved, static_cast<std::size_t>(count)};
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {Transfer::would_block, 0};
  return {Transfer::ended, 0};
}

TransferResult send_to(const Fd& socket, const char* bytes, std::size_t size) noexcept {
  if (!socket.is_ours()) return {Transfer::ended, 0};
  const ssize_t count = ::send(socket.get(), bytes, size, MSG_NOSIGNAL);
  if (count >= 0) return {Transfer::moved, static_cast<std::size_t>(count)};
  if (errno == EAGAIN || errno == EINTR) return {Transfer::would_block, 0};
  return {Transfer::ended, 0};
}

void end_sending(const Fd& socket) noexcept {
  if (socket.is_ours()) ::shutdown(socket.get(), SHUT_WR);
}

namespace {

/// A socket has an inode of its own, so it is not mistaken for a file of the program's.
Fd any_descriptor() noexcept { return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

}  // namespace

SpareDescriptor::SpareDescriptor() : spare_(any_descriptor()) {}

void SpareDescriptor::turn_one_away(const Fd& listening) noexcept {
  spare_.reset();
  if (listening.is_ours()) Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
  spare_ = any_descriptor();
}

}  // namespace moult::internal
