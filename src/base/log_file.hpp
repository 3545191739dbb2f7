// Where log lines go: a file, a FIFO, or standard error.
//
// A line is one write(2), so that lines of several processes in one file do not mix. moult writes lines while the
// program is stopped and while its own locks are held, so a write must never wait for somebody: a FIFO is opened
// without blocking, and what is not a plain file is asked first whether it takes a line now. A line that cannot be
// written at once, or only in part, is dropped and counted; the count is told with the next line that goes through.
// Neither a reader that left (SIGPIPE) nor a limit on file sizes (SIGXFSZ) reaches the program. Limits: on standard
// error another writer may fill a pipe between the question and the write, which then waits. Lines to what is not a
// plain file are cut to PIPE_BUF bytes.
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
  /// Opens `path` for appending, and makes it if need be. Throws Error (system), naming the path.
  explicit LogFile(const std::string& path);

  /// Writes `line` and a newline, or drops it. Not from two threads at once.
  void write_line(std::string_view line) noexcept;
  /// Lines dropped so far.
  std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  bool try_write(std::string_view line) noexcept;
  bool takes_a_line_now() const noexcept;
  int number() const noexcept;

  Fd file_;
  bool plain_ = false;
  std::uint64_t dropped_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace moult::internal
