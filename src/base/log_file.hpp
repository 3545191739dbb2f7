// Where log lines go: a file, a FIFO, or standard error.
//
// Why: moult writes lines while the program is stopped and while it holds its own locks. So a write must never wait for
// another process or thread.
//
// How: a line is one write(2), so that lines of several processes in one file do not mix. A FIFO is opened without
// blocking. A destination that is not a plain file is polled first. A line that cannot be written at once and whole is
// dropped and counted, and the next line that succeeds is preceded by the count. The program gets no signal of a failed
// write: neither SIGPIPE, if the reader has left, nor SIGXFSZ, at a limit on file sizes.
//
// A program may close the file's descriptor and open files of its own under the number (base/fd.hpp). Lines then go to
// standard error. Number 2 is standard error whatever the program has made of it, as it is to every library.
//
// Limits: on standard error another writer may fill a pipe between poll and write, and the write then waits. Lines to
// anything but a plain file are cut to PIPE_BUF bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace moult::internal {

class LogFile final {
 public:
  /// Standard error.
  LogFile() noexcept;
  /// Opens `path` for appending and creates it if necessary. Throws Error (system), naming the path.
  explicit LogFile(const std::string& path);

  /// Writes `line` and a newline, or drops them. Two threads must not call it at once.
  void write_line(std::string_view line) noexcept;
  /// Lines dropped so far.
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  void fall_back() noexcept;
  bool try_write(std::string_view line) noexcept;
  bool takes_a_line_now() const noexcept;
  int number() const noexcept;

  Fd file_;
  bool plain_ = false;
  std::uint64_t dropped_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace moult::internal
