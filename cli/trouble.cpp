#include "trouble.hpp"

#include <algorithm>

namespace moult::cli {

ExitCode exit_of(ErrorCode code) noexcept {
  if (code == ErrorCode::timed_out || code == ErrorCode::still_active) return ExitCode::postponed;
  if (code == ErrorCode::permission_denied) return ExitCode::unreachable;
  return ExitCode::refused;
}

ExitCode exit_of(const protocol::UpdatesReply& reply) noexcept {
  if (!reply.failure) return ExitCode::done;
  const auto any = [&](std::initializer_list<UpdateState> states) {
    return std::ranges::any_of(reply.updates, [&](const UpdateReport& report) {
      return std::ranges::find(states, report.state) != states.end();
    });
  };
  // Another exit code would promise that nothing was touched.
  if (any({UpdateState::failed, UpdateState::applied})) return ExitCode::failed;
  if (any({UpdateState::refused, UpdateState::aborted})) return ExitCode::refused;
  // The program has heard the command, and it is the file that it may not or will not read.
  if (reply.failure->code == ErrorCode::permission_denied) return ExitCode::refused;
  return exit_of(reply.failure->code);
}

}  // namespace moult::cli
