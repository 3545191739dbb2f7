// Listeners: how an update reaches a running program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#pragma GCC visibility push(default)
namespace moult {

/// Where a Listener listens besides its Unix socket.
struct ListenerOptions {
  /// Also listen on 127.0.0.1 at this port; 0: not on TCP. Every TCP connection must send `token` first.
  std::uint16_t tcp_port = 0;
  /// At least 16 characters when tcp_port is set.
  std::string token;
};

/// Serves the `moult` command on a Unix socket, moult/PID.sock in the user's runtime folder ($XDG_RUNTIME_DIR, else
/// /run/user/UID, else a folder of this user's own in /tmp), mode 0600; only the same user or root is heard. One thread
/// serves every connection; each update is loaded in a thread of its own. docs/protocol.md describes what is said.
///
/// One a process. Throws Error: system (the socket cannot be made), invalid_argument (a second one, a short token).
class Listener final {
 public:
  explicit Listener(ListenerOptions options = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The socket's path, which is removed with the listener.
  const std::string& path() const noexcept;

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

/// Takes the same commands, one a line, from a FIFO that it makes and removes; replies go to the log. May stand beside
/// a Listener. A FIFO of this user's own that nobody reads, left by a process that was killed, is taken over. Throws
/// Error: system, invalid_argument (there is something else at that path, or somebody reads the FIFO).
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
