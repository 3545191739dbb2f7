// The ends of the command: the exit codes of docs/protocol.md, and the exception that leads to them.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "diagnostics.hpp"
#include "moult/error.hpp"
#include "protocol/reply.hpp"

namespace moult::internal::cli {

enum class ExitCode : int {
  done = 0,         ///< applied, or the question was answered
  failed = 1,       ///< failed and undone, or only some of several updates are applied or rolled back
  usage = 2,        ///< wrong arguments, or a file that does not compile
  refused = 3,      ///< before moult changed anything
  postponed = 4,    ///< timed out: withdrawn, or not applied yet
  unreachable = 5,  ///< no such target, or no answer from it
};

/// Ends the command. The message is for the user.
class CommandFailure final : public std::runtime_error {
 public:
  CommandFailure(ExitCode exit, ErrorCode code, const std::string& message, std::vector<Diagnostic> diagnostics = {})
      : std::runtime_error(message), exit_(exit), code_(code), diagnostics_(std::move(diagnostics)) {}

  ExitCode exit() const noexcept { return exit_; }
  ErrorCode code() const noexcept { return code_; }
  /// Those of the compiler, if the command's output is for programs.
  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  ExitCode exit_;
  ErrorCode code_;
  std::vector<Diagnostic> diagnostics_;
};

/// The exit code of a failed reply that concerns no single update.
ExitCode exit_of(ErrorCode code) noexcept;
/// The exit code of a reply to an update. `failed` when one failed or only some are applied; `postponed` when none is
/// applied, and one was withdrawn or may be applied later; otherwise the worst decides.
ExitCode exit_of_update(const UpdatesReply& reply) noexcept;
/// The same for a dry run, after which nothing goes on.
ExitCode exit_of_check(const UpdatesReply& reply) noexcept;

}  // namespace moult::internal::cli
