// The ends of the command: the exit codes of docs/protocol.md, and the exception that leads to them.
#pragma once

#include <stdexcept>
#include <string>

#include "moult/error.hpp"
#include "protocol/reply.hpp"

namespace moult::internal::cli {

enum class ExitCode : int {
  done = 0,         ///< applied, or the question was answered
  failed = 1,       ///< failed and undone, or only some of several updates are applied
  usage = 2,        ///< wrong arguments, or a file that does not compile
  refused = 3,      ///< before anything was changed
  postponed = 4,    ///< or timed out
  unreachable = 5,  ///< no such target, or no answer from it
};

/// Ends the command. The message is for the user.
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

/// The exit code of a failed reply that concerns no single update.
ExitCode exit_of(ErrorCode code) noexcept;
/// The exit code of a reply to an update. `failed` when one failed or only some are applied; `postponed` when none is
/// applied yet and one may be later; otherwise the worst decides.
ExitCode exit_of_update(const UpdatesReply& reply) noexcept;
/// The same for a dry run, after which nothing goes on.
ExitCode exit_of_check(const UpdatesReply& reply) noexcept;

}  // namespace moult::internal::cli
