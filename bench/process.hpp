// Programs that are measured from outside.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

/// A child process whose standard output is read here. Killed with the object if it has not ended by then.
class Process final {
 public:
  /// Throws std::runtime_error when it cannot be started.
  explicit Process(const std::vector<std::string>& command);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  /// Its next line; empty at the end of its output.
  std::string read_line() const;
  /// The rest of its output.
  std::string read_all() const;
  void send(int signal) const noexcept;
  /// Waits for its end: its exit code, or 128 and the signal that ended it.
  int wait() noexcept;
  std::string id() const { return std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// What a child process wrote to its standard output. Throws std::runtime_error when it fails.
std::string output_of(const std::vector<std::string>& command);

}  // namespace bench
