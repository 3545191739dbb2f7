// `update` and `check`: load a file, whose entry submits updates to managers, and reply with the result of each.
//
// The entry runs in the command's own thread. What it throws refuses the file; updates submitted before that go on, and
// are reported. The reply only watches the updates: they go on when the client stops waiting or the listener ends.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>

#include "base/event.hpp"
#include "base/folder.hpp"
#include "code/loader.hpp"
#include "control/live.hpp"
#include "control/update_copies.hpp"
#include "lifecycle/failure.hpp"
#include "lifecycle/submission.hpp"
#include "protocol/leftovers.hpp"
#include "protocol/runtime_folder.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
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

/// This process's folder in its user's runtime folder, with the copies of loaded updates, mode 0700. It is removed when
/// the process exits. The next process to make its folder removes those of killed processes.
class UpdateFolder final {
 public:
  /// Throws Error: permission_denied, system.
  explicit UpdateFolder(const RuntimeSurroundings& surroundings);
  UpdateFolder(const UpdateFolder&) = delete;
  UpdateFolder& operator=(const UpdateFolder&) = delete;

  std::string path() const { return path_.string(); }
  /// Does nothing in a child of fork.
  void remove() const noexcept;

 private:
  std::filesystem::path path_;
  int maker_;
};

UpdateFolder::UpdateFolder(const RuntimeSurroundings& surroundings) : maker_(::getpid()) {
  const fs::path runtime_folder = make_runtime_folder(surroundings);
  remove_leftovers(surroundings);
  path_ = runtime_folder / updates_name(maker_);
  std::error_code error;
  remove_folder(path_);  // of an ended process with the same pid
  // The runtime folder belongs to this user alone, so no other user can interfere in between.
  if (!fs::create_directory(path_, error))
    throw Error(ErrorCode::system, path_.string() + ": cannot be made: " + error.message());
  fs::permissions(path_, fs::perms::owner_all);
}

void UpdateFolder::remove() const noexcept try {
  if (maker_ == ::getpid()) remove_folder(path_);
} catch (const std::bad_alloc&) {  // the next process to make its folder removes this one
}

/// Null until there is one. Never destroyed.
constinit std::atomic<const UpdateFolder*> made_folder = nullptr;

std::string folder_of_copies() {
  static const auto& folder = *[] {
    const auto* const made = new UpdateFolder(RuntimeSurroundings::of_this_process());
    made_folder = made;
    return made;
  }();
  return folder.path();
}

[[gnu::destructor]] void remove_folder_of_copies() noexcept {
  if (const UpdateFolder* const folder = made_folder) folder->remove();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Makes the messages use the sender's name of the file; where the file itself is at fault, both names.
void name_source(UpdatesReply& reply, const std::string& path, const std::string& source) {
  if (source.empty()) return;
  const bool is_about_file = reply.failure && (reply.failure->code == ErrorCode::unreadable ||
                                               reply.failure->code == ErrorCode::permission_denied);
  if (is_about_file)
    reply.failure->message = source + ": what was compiled of it: " + reply.failure->message;
  else if (reply.failure)
    replace_all(reply.failure->message, path, source);
  for (std::string& warning : reply.warnings) replace_all(warning, path, source);
}

/// For both kinds of request: loads the file and runs its entry. The reply holds the errors.
template <class Request>
UpdatesReply load_and_run(const Request& request, Submission& submission) {
  UpdatesReply reply;
  std::optional<LoadedUpdate> loaded;
  const Clock::time_point begin = Clock::now();
  try {
    const Submission::Scope scope(submission);  // static constructors of the file count as its entry
    loaded = load_update(request.path, {.folder = folder_of_copies(), .force = request.force});
    reply.code_ran = true;
    reply.load_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    reply.warnings = loaded->warnings();
    if (submission.mode() == Submission::Mode::apply) tell(EventKind::update_loaded, shown(request));
    loaded->run();
  } catch (const DryRunLeft& left) {
    reply.warnings.push_back("the file's entry waits for " + left.waited_for +
                             ", and what it does after that was not looked at");
  } catch (...) {
    reply.failure = failure_of(std::current_exception());
    reply.file_refused = true;
  }
  const bool is_made = submission.mode() == Submission::Mode::apply;
  if (loaded && (!is_made || submission.untracked_changes().empty()))
    note_copy(loaded->library(), loaded->entry_address(), submission.handles());
  name_source(reply, request.path, request.source);
  return reply;
}

/// Why this update is not applied, after a request that keeps trying or does not.
Failure shortfall(const UpdateReport& report, bool keeps_trying, bool is_withdrawn) {
  const std::string why = report.reason.empty() ? "" : ": " + report.reason;
  if (is_withdrawn && report.state == UpdateState::aborted && report.code == ErrorCode::timed_out)
    return {ErrorCode::timed_out, report.name + ": not applied in time, and withdrawn" + why};
  if (!keeps_trying && report.state == UpdateState::active)
    return {ErrorCode::timed_out, report.name + ": not applied in time, and too late to withdraw while it was being " +
                                      "carried out; `moult status` says what becomes of it"};
  if (report.state == UpdateState::queued)
    return {ErrorCode::timed_out,
            report.name + ": not applied yet, still waiting for its turn" + why + "; moult keeps trying"};
  if (report.state == UpdateState::active)
    return {ErrorCode::timed_out,
            report.name + ": not applied yet, still being carried out" + why + "; moult keeps trying"};
  return {report.code.value_or(ErrorCode::internal), report.name + ": " + std::string(state_text(report.state)) + why};
}

/// Otherwise the sender would take an empty entry, or one that returned early, for an applied update.
Failure nothing_handed_in(const std::string& file) {
  return {
      ErrorCode::not_an_update,
      file +
          ": its entry (MOULT_UPDATE) submitted no update to a manager, so moult changed nothing; make an update there "
          "and call add_update, as in threaded_manager(\"main\").add_update(...)"};
}

/// `reply.updates` has the submission's reports.
void judge(UpdatesReply& reply, const Submission& submission, UpdateState wanted, const std::string& file,
           bool keeps_trying = true) {
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
    if (!reply.failure && report.state != wanted) reply.failure = shortfall(report, keeps_trying, reply.withdrawn);
  }
}

}  // namespace

UpdatesReply live_update(const UpdateRequest& request, const std::stop_token& stop, const Tell& tell) {
  const Clock::time_point deadline = Clock::now() + request.wait;
  const WithdrawableRequest withdrawable(request.key);
  Submission submission(Submission::Mode::apply, [&](const UpdateHandle& update) { withdrawable.add(update.id()); });
  UpdatesReply reply = load_and_run(request, submission);
  WaitOutcome outcome = wait_for_updates(
      submission.handles(),
      {.request = request, .withdrawable = withdrawable, .deadline = deadline, .stop = stop, .tell = tell});
  reply.updates = std::move(outcome.reports);
  reply.withdrawn = outcome.withdrawn;
  const bool keeps_trying = request.keep_trying && !withdrawable.is_withdrawn();
  judge(reply, submission, UpdateState::applied, shown(request), keeps_trying);
  if (reply.file_refused || (reply.failure && reply.updates.empty())) tell_refused(shown(request), *reply.failure);
  delete_unneeded_copies();
  return reply;
}

UpdatesReply live_check(const CheckRequest& request) {
  Submission submission(Submission::Mode::check);
  UpdatesReply reply = load_and_run(request, submission);
  reply.updates = submission.reports();
  judge(reply, submission, UpdateState::queued, shown(request));
  delete_unneeded_copies();
  return reply;
}

}  // namespace moult::internal
