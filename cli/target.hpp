// The running program that a command addresses.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "process_state.hpp"
#include "protocol/client.hpp"
#include "scratch_folder.hpp"

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

/// What is wrong with the process that serves a socket, for a message that begins with the socket's path; empty if it
/// is process `pid`, and the socket was made by this user, by root, or by `user`, the owner of the process.
std::string objection_to_peer(int pid, const std::optional<Peer>& peer, std::optional<uid_t> user);

/// Throws CommandFailure: unreachable, also if another process than the target answers.
Client connect(const Target& target, Deadline deadline);

/// Sends one command and returns the reply's line. Notices before it go to `hear`, as they come. Throws CommandFailure:
/// unreachable, postponed (no answer in time).
std::string ask(const Target& target, const Command& command, std::chrono::duration<double> timeout,
                const std::function<void(const std::string& notice)>& hear = {});

/// The program opens an update's file itself. Throws CommandFailure (refused) if it sees another file system than this
/// command.
void require_same_files(const Target& target);
/// Who must be able to read a file that the program is to open.
Readers readers_for(const Target& target);

/// Throws CommandFailure for a failed reply, with `target` in front of the message.
[[noreturn]] void fail(const Target& target, const Error& error);

}  // namespace moult::internal::cli
