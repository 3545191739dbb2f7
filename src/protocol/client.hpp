// The command line's connection to a running program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "protocol/line_splitter.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

using Deadline = std::chrono::steady_clock::time_point;

struct Peer {
  int pid = 0;  ///< 0: not visible in this PID namespace
  uid_t user = 0;
};

/// Blocks, but never past a deadline. An object is for use by one thread. Never raises SIGPIPE.
class Client final {
 public:
  /// Throws Error:
  /// not_found: there is no such socket, or no process listens on it any more
  /// permission_denied: it belongs to another user
  /// timed_out, system
  static Client connect(const std::string& path, Deadline deadline);

  /// The process that listened at the connection's beginning, in this process's PID namespace. Nothing if the kernel
  /// does not say.
  std::optional<Peer> peer() const noexcept;

  /// Sends `command` and returns the reply's line. Throws Error:
  /// unreadable: the connection ended before the whole reply
  /// timed_out, system
  std::string call(const Command& command, Deadline deadline);
  /// Sends a line unchanged and adds the newline.
  void send_line(std::string_view line, Deadline deadline);
  /// The next line the program sends. Throws as call does.
  std::string read_line(Deadline deadline);

 private:
  Client(Fd socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
  void wait_for(short events, Deadline deadline) const;

  Fd socket_;
  std::string path_;  ///< for messages
  LineSplitter splitter_{max_reply_bytes};
};

}  // namespace moult::internal
