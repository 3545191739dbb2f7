// How the command ends: the exit codes of docs/protocol.md, and what is thrown to end it.
#pragma once

#include <stdexcept>
#include <string>

#include "moult/error.hpp"
#include "protocol/reply.hpp"

namespace moult::internal::cli {

enum class ExitCode : int {
  done = 0,         ///< in force, or the question was answered
  failed = 1,       ///< failed and undone, or of several updates only some are in force
  usage = 2,        ///< wrong arguments, or a file that does not compile
  refused = 3,      ///< before anything was touched
  postponed = 4,    ///< or out of time
  unreachable = 5,  ///< no such target, or no answer from it
};

/// Ends the command. The message is for the person at the keyboard.
class CommandFailure final : public std::runtime_error {
 public:
  CommandFailure(ExitCode exit, ErrorCode code, const std::string& message)
      : std::runtime_error(message), exit_(exit), code_(code) {}

  ExitCode exit() const noexcept { return exit_; }
  ErrorCode code() const noexcept { return code_; }

 private:
  ExitCode exit_;
  ErrorCode code_;
};

/// How a reply that says no ends the command, when it tells of no single update.
ExitCode exit_of(ErrorCode code) noexcept;
/// How the reply to an update ends it: `failed` when one failed or only a part is in force, `postponed` when none is
/// yet and one may come into force later, otherwise the worst decides.
ExitCode exit_of_update(const UpdatesReply& reply) noexcept;
/// The same for a dry run, which leaves nothing behind that could go on.
ExitCode exit_of_check(const UpdatesReply& reply) noexcept;

}  // namespace moult::internal::cli
