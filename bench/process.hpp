// Programs that are measured from outside.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

/// A child process whose standard output is read here. The destructor kills it if it has not ended.
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
  /// Waits for its end. Returns its exit code, or 128 and the number of the signal that ended it.
  int wait() noexcept;
  std::string id() const { return std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

/// A child process's standard output. Throws std::runtime_error when it fails.
std::string output_of(const std::vector<std::string>& command);

}  // namespace bench
