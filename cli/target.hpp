// The running program that a command addresses.
#pragma once

#include <chrono>
#include <string>

#include "process_state.hpp"
#include "protocol/client.hpp"

namespace moult::internal::cli {

struct Target {
  int pid = 0;
  std::string program;  ///< path of the executable; empty when unknown
  std::string socket;

  /// "app (pid 4711)".
  std::string describe() const;
  /// The executable as it runs, even if its file was replaced since.
  std::string running_file() const;
};

/// `name` is a pid, a program's name or its path. Throws CommandFailure (unreachable): no such program, several of that
/// name (with their pids), or a program without a listener.
Target find_target(const std::string& name);

Client connect(const Target& target, Deadline deadline);

/// Sends one command and returns the reply's line. Throws CommandFailure: unreachable, postponed (no answer in time).
std::string ask(const Target& target, const Command& command, std::chrono::duration<double> timeout);

/// Throws CommandFailure for a failed reply, with `target` in front of the message.
[[noreturn]] void fail(const Target& target, const Error& error);

}  // namespace moult::internal::cli
