// Listeners: the program's side of the `moult` command.
//
//   int main() {
//     moult::Listener listener;     // `moult update PID update.so` now reaches this process
//     serve();
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "moult/error.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Where a Listener listens in addition to its Unix socket.
struct ListenerOptions {
  /// Also listens on 127.0.0.1 at this port; 0: not on TCP. Every TCP connection must send `token` first. A wrong one
  /// delays the next try of the same user by a second.
  std::uint16_t tcp_port = 0;
  /// At least 16 characters if tcp_port is set.
  std::string token;
};

struct ListenerOrError;

/// Serves the `moult` command on a Unix socket: moult/PID.sock in the user's runtime folder, mode 0600. The runtime
/// folder is $XDG_RUNTIME_DIR, else /run/user/UID, else a folder of this user in /tmp. Only the same user and root are
/// accepted. One thread serves all connections; each update is loaded in a thread of its own. docs/protocol.md
/// describes the protocol.
///
/// One listener a process. A program that closes all descriptors that it does not know makes it after that. Otherwise
/// the listener ends and warns in the log.
class Listener final {
 public:
  /// system: the socket cannot be made
  /// permission_denied: the runtime folder in /tmp is a file or belongs to another user
  /// invalid_argument: a second listener, or a short token
  explicit Listener(ListenerOptions options = {});

  /// For a program that runs on without updates where it cannot have a listener. Returns what the constructor throws.
  ///
  ///   const auto [listener, error] = moult::Listener::try_make();
  ///   if (error) std::cerr << "no updates: " << error->what() << std::endl;
  static ListenerOrError try_make(ListenerOptions options = {});

  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The path of the socket, which is removed with the listener.
  const std::string& path() const noexcept;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// Exactly one of both.
struct [[nodiscard]] ListenerOrError {
  std::unique_ptr<Listener> listener;
  std::optional<Error> error;
};

/// Reads the same commands, one a line, from a FIFO that it creates and removes; the replies go to the log. It may
/// exist beside a Listener. It takes over a FIFO of the same user that no process reads, such as a killed process
/// leaves behind.
///
///   moult::PipeListener listener("/tmp/app.fifo");      // echo "update /tmp/update.so" > /tmp/app.fifo
///
/// system: the FIFO cannot be made
/// invalid_argument: the path is something else than a FIFO, or another process reads it
class PipeListener final {
 public:
  explicit PipeListener(const std::string& path);
  ~PipeListener();
  PipeListener(const PipeListener&) = delete;
  PipeListener& operator=(const PipeListener&) = delete;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult
#pragma GCC visibility pop
