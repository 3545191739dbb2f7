#include "failure.hpp"

#include <algorithm>

namespace moult::internal::cli {
namespace {

bool any_is(const UpdatesReply& reply, std::initializer_list<UpdateState> states) noexcept {
  return std::ranges::any_of(reply.updates, [&](const UpdateReport& report) {
    return std::ranges::find(states, report.state) != states.end();
  });
}

}  // namespace

ExitCode exit_of(ErrorCode code) noexcept {
  if (code == ErrorCode::timed_out || code == ErrorCode::still_active) return ExitCode::postponed;
  if (code == ErrorCode::permission_denied) return ExitCode::unreachable;
  return ExitCode::refused;
}

ExitCode exit_of_update(const UpdatesReply& reply) noexcept {
  // `refused` promises that nothing was changed, and that nothing will be.
  if (reply.failure && (reply.changed_directly || any_is(reply, {UpdateState::failed, UpdateState::applied})))
    return ExitCode::failed;
  const bool may_go_on = any_is(reply, {UpdateState::queued, UpdateState::active});
  if (reply.failure && (may_go_on || reply.withdrawn)) return ExitCode::postponed;
  return exit_of_check(reply);
}

ExitCode exit_of_check(const UpdatesReply& reply) noexcept {
  if (!reply.failure) return ExitCode::done;
  if (any_is(reply, {UpdateState::refused, UpdateState::aborted})) return ExitCode::refused;
  // The program has received the command, and rejects the file.
  if (reply.failure->code == ErrorCode::permission_denied) return ExitCode::refused;
  return exit_of(reply.failure->code);
}

}  // namespace moult::internal::cli
