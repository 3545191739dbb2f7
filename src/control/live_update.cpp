// `update` and `check`: a file is loaded, its entry hands updates to managers, and the reply says what became of them.
//
// The entry runs in the command's own thread. What it throws refuses the file; updates it had handed in before go on
// and are reported. The reply is one more watcher of the updates: when the client gives up waiting, or the listener
// goes away, the updates go on.
#include <algorithm>
#include <chrono>
#include <exception>

#include "base/event.hpp"
#include "code/loader.hpp"
#include "control/live.hpp"
#include "control/update_folder.hpp"
#include "lifecycle/failure.hpp"
#include "lifecycle/submission.hpp"

namespace moult::internal {
namespace {

using internal::state_text;
using Clock = std::chrono::steady_clock;

Failure failure_of(const std::exception_ptr& thrown) {
  StepFailure failure = internal::describe(thrown, "the update's entry");
  return {failure.code, std::move(failure.reason)};
}

void tell(EventKind kind, std::string text, std::optional<ErrorCode> code = {}) {
  Event event;
  event.kind = kind;
  event.text = std::move(text);
  event.code = code;
  event_log().publish(std::move(event));
}

void tell_refused(const std::string& path, const Failure& failure) {
  const bool is_named = failure.message.find(path) != std::string::npos;
  tell(EventKind::file_refused, is_named ? failure.message : path + ": " + failure.message, failure.code);
}

template <class Request>
const std::string& shown(const Request& request) {
  return request.source.empty() ? request.path : request.source;
}

/// Kept to the process's end, as the updates are.
std::string folder_of_copies() {
  static const UpdateFolder folder(RuntimeSurroundings::of_this_process());
  return folder.path();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Has the messages name what the sender knows the file by.
void name_source(UpdatesReply& reply, const std::string& path, const std::string& source) {
  if (source.empty()) return;
  if (reply.failure) replace_all(reply.failure->message, path, source);
  for (std::string& warning : reply.warnings) replace_all(warning, path, source);
}

/// Loads the file and runs its entry. What goes wrong is in the reply. For both kinds of request.
template <class Request>
UpdatesReply load_and_run(const Request& request, Submission& submission) {
  UpdatesReply reply;
  const Clock::time_point begin = Clock::now();
  try {
    const Submission::Scope scope(submission);  // what the file's static constructors do counts as the entry's
    const LoadedUpdate loaded = load_update(request.path, {.folder = folder_of_copies(), .force = request.force});
    reply.load_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    reply.warnings = loaded.warnings();
    if (submission.mode() == Submission::Mode::apply) tell(EventKind::update_loaded, shown(request));
    loaded.run();
  } catch (const DryRunLeft& left) {
    reply.warnings.push_back("the file's entry waits for " + left.waited_for +
                             ", and what it does after that was not looked at");
  } catch (...) {
    reply.failure = failure_of(std::current_exception());
    reply.file_refused = true;
  }
  name_source(reply, request.path, request.source);
  return reply;
}

/// False: not final before the deadline or the stop.
bool wait_for(const UpdateHandle& update, Clock::time_point deadline, const std::stop_token& stop) {
  // A handle cannot be woken by a stop token, so the wait looks up from time to time.
  constexpr std::chrono::milliseconds longest_slice{100};
  while (!stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const UpdateState state = update.wait(std::clamp(left, std::chrono::milliseconds(0), longest_slice)).state;
    if (state != UpdateState::queued && state != UpdateState::active) return true;
    if (Clock::now() >= deadline) return false;
  }
  return false;
}

/// Why this update is not in force.
Failure shortfall(const UpdateReport& report) {
  const std::string why = report.reason.empty() ? "" : ": " + report.reason;
  if (report.state == UpdateState::queued)
    return {ErrorCode::timed_out, report.name + ": still waiting for its turn" + why + "; it goes on by itself"};
  if (report.state == UpdateState::active)
    return {ErrorCode::timed_out, report.name + ": still being carried out" + why + "; it goes on by itself"};
  return {report.code.value_or(ErrorCode::internal), report.name + ": " + std::string(state_text(report.state)) + why};
}

/// The sender would take an empty entry, or one that returned early, for an update in force.
Failure nothing_handed_in(const std::string& file) {
  return {ErrorCode::not_an_update,
          file +
              ": its entry (MOULT_UPDATE) handed no update to a manager, so nothing was changed; make an update there "
              "and call add_update, as in threaded_manager(\"main\").add_update(...)"};
}

void judge(UpdatesReply& reply, const Submission& submission, UpdateState wanted, const std::string& file) {
  reply.updates = submission.reports();
  if (reply.updates.empty() && submission.untracked_changes().empty() && !reply.failure)
    reply.failure = nothing_handed_in(file);
  const bool is_made = submission.mode() == Submission::Mode::apply;
  reply.changed_directly = is_made && !submission.untracked_changes().empty();
  for (const std::string& change : submission.untracked_changes())
    reply.warnings.push_back((is_made ? "" : "would be made: ") + change +
                             ": by the file's entry itself, in no update, so it cannot be taken back");
  reply.warnings.insert(reply.warnings.end(), submission.warnings().begin(), submission.warnings().end());
  for (const UpdateReport& report : reply.updates) {
    reply.warnings.insert(reply.warnings.end(), report.warnings.begin(), report.warnings.end());
    if (!reply.failure && report.state != wanted) reply.failure = shortfall(report);
  }
}

}  // namespace

UpdatesReply live_update(const UpdateRequest& request, const std::stop_token& stop) {
  const Clock::time_point deadline = Clock::now() + request.wait;
  Submission submission(Submission::Mode::apply);
  UpdatesReply reply = load_and_run(request, submission);
  for (const UpdateHandle& update : submission.handles()) wait_for(update, deadline, stop);
  judge(reply, submission, UpdateState::applied, shown(request));
  if (reply.file_refused || (reply.failure && reply.updates.empty())) tell_refused(shown(request), *reply.failure);
  return reply;
}

UpdatesReply live_check(const CheckRequest& request) {
  Submission submission(Submission::Mode::check);
  UpdatesReply reply = load_and_run(request, submission);
  judge(reply, submission, UpdateState::queued, shown(request));
  return reply;
}

}  // namespace moult::internal
