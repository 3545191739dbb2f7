// The sockets and the FIFO of a listener. Every descriptor is non-blocking and closed on exec.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "platform/owned_path.hpp"

namespace moult::internal {

struct PathSocket {
  Fd socket;
  OwnedPath path;
};

/// Listens at `path` with mode 0600 from the first moment on, whatever the umask. The caller ensures that no other user
/// may write to the folder. A socket without a listener is replaced. Throws Error: system, and
/// invalid_argument: another process listens there, or the path is too long or no socket.
PathSocket listen_at(const std::string& path);

/// Listens on 127.0.0.1. Throws Error (system).
Fd listen_on_loopback(std::uint16_t port);

/// Makes a FIFO with mode 0600 and opens it so that it has no end of file. This user's FIFO without a reader, left by a
/// listener that was killed, is taken over together with its waiting writers. Throws Error: system, and
/// invalid_argument: the path is something else, or in use.
PathSocket make_fifo(const std::string& path);

enum class AcceptOutcome { accepted, nobody, out_of_descriptors };
struct Accepted {
  AcceptOutcome outcome = AcceptOutcome::nobody;
  Fd socket;
};
Accepted accept_from(const Fd& listening) noexcept;

/// The user at the other end of a Unix socket. Nothing if the kernel does not say.
std::optional<uid_t> peer_user(const Fd& socket) noexcept;
/// The user at the other end of a TCP connection within this machine, whatever address it chose: the kernel's lists of
/// sockets name each one's owner. Nothing if the other end is closed already, or the lists cannot be read.
std::optional<uid_t> loopback_peer_user(const Fd& socket);
/// The owner of the socket with these ends in a list such as /proc/net/tcp ("0100007F:1F90"; only the end of an address
/// is compared, so that an IPv4 address is found in tcp6, too). Nothing for a socket that its owner has closed.
std::optional<uid_t> owner_of_socket(std::istream& list, const std::string& local, const std::string& remote);
/// True for the user this process acts as, and for root.
bool is_trusted_user(uid_t user) noexcept;

enum class Transfer { moved, would_block, ended };
struct TransferResult {
  Transfer transfer = Transfer::would_block;
  std::size_t bytes = 0;
};
/// One read, or one send that raises no SIGPIPE. `ended`: the other side is gone, or the program has closed the
/// descriptor.
TransferResult read_from(const Fd& source, char* bytes, std::size_t size) noexcept;
TransferResult send_to(const Fd& socket, const char* bytes, std::size_t size) noexcept;

/// Nothing more will be sent; what was sent still arrives.
void end_sending(const Fd& socket) noexcept;

/// A spare descriptor for the time when no other is left. With it a connection can be accepted and refused; otherwise
/// the kernel would report it again and again.
class SpareDescriptor final {
 public:
  SpareDescriptor();
  /// Accepts one connection from `listening` and closes it.
  void turn_one_away(const Fd& listening) noexcept;

 private:
  Fd spare_;
};

}  // namespace moult::internal
