// An update request waits in a thread of its own. It looks at its updates twenty times a second, since three things may
// end the wait: the updates, a withdrawal, and the end of the listener.
//
// An update that is not applied in time must not be applied later, when its sender counts on the old program. So it is
// withdrawn, unless the sender wants it otherwise. The lifecycle decides whether that is still possible: an update that
// has begun to change the program is carried to its end, and reported as it ended.
//
// An entry may itself wait for what it submits. So a withdrawal reaches each update as soon as it is submitted. Limit:
// the end of the time alone does not, while the entry runs; the command then withdraws the request.
#include "control/update_wait.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/run_record.hpp"
#include "lifecycle/update_registry.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds between_looks{50};
/// Most updates are applied sooner, and need no notice.
constexpr milliseconds before_first_notice{1000};
/// For an update that is just changing the program when its time is over.
constexpr std::chrono::seconds to_end_a_change{3};

struct RequestInProgress {
  bool is_withdrawn = false;
  std::vector<std::uint64_t> submitted;
  std::vector<UpdateReport> before_withdrawal;  ///< of those that had not ended
};
using Requests = std::map<std::string, RequestInProgress>;

/// Never destroyed: requests may be in progress when the process exits.
Guarded<Requests>& requests_in_progress() {
  static auto& requests = *new Guarded<Requests>;
  return requests;
}

/// What `use` returns for the request with that key; for an empty one an empty value.
template <class Use, class Result = std::invoke_result_t<Use, RequestInProgress&>>
Result with_request(const std::string& key, const Use& use) {
  if (key.empty()) return Result{};
  return requests_in_progress().with([&](Requests& requests) { return use(requests.at(key)); });
}

std::vector<UpdateReport> reports_of(const std::vector<UpdateHandle>& updates) {
  std::vector<UpdateReport> reports;
  for (const UpdateHandle& update : updates) reports.push_back(update.report());
  return reports;
}

/// "greeting (update 3) of manager main".
std::string describe(const UpdateReport& update) {
  return update.name + " (update " + std::to_string(update.id) + ") of manager " + update.manager;
}

/// The update that keeps `update` from its turn: its manager's current one, or else the one that changes the program.
const UpdateReport* one_in_front(const UpdateReport& update, const std::vector<UpdateReport>& all) {
  const UpdateReport* in_front = nullptr;
  for (const UpdateReport& each : all) {
    if (each.id == update.id || each.state != UpdateState::active) continue;
    if (each.manager == update.manager) return &each;
    in_front = &each;
  }
  return in_front;
}

/// Tells of each obstacle once.
class Notices final {
 public:
  explicit Notices(const Tell& tell) : tell_(tell) {}

  void look_at(const std::vector<UpdateHandle>& updates) {
    if (!tell_ || Clock::now() < next_) return;
    next_ = Clock::now() + before_first_notice;
    const std::vector<UpdateReport> all = update_registry().reports();
    for (const UpdateHandle& update : updates)
      if (const UpdateReport report = update.report(); !is_ended(report.state)) tell_of(report, all);
  }

 private:
  /// The text of a wait changes with every place where a thread is seen. Who is in front, and the state, do not.
  void tell_of(const UpdateReport& update, const std::vector<UpdateReport>& all) {
    const UpdateReport* const front = one_in_front(update, all);
    const std::pair<UpdateState, std::uint64_t> now{update.state, front == nullptr ? 0 : front->id};
    if (std::optional<std::pair<UpdateState, std::uint64_t>>& told = told_[update.id]; told != now) {
      told = now;
      tell_(obstacle_of(update, all));
    }
  }

  const Tell& tell_;
  Clock::time_point next_ = Clock::now() + before_first_notice;
  std::map<std::uint64_t, std::optional<std::pair<UpdateState, std::uint64_t>>> told_;
};

bool all_have_ended(const std::vector<UpdateHandle>& updates) {
  return std::ranges::all_of(updates, [](const UpdateHandle& update) { return is_ended(update.report().state); });
}

void wait_a_moment(const std::vector<UpdateHandle>& updates, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  for (const UpdateHandle& update : updates)
    if (!is_ended(update.report().state)) {
      update.wait(std::clamp(left, milliseconds(0), between_looks));
      return;
    }
}

/// Withdraws those that are not applied, and waits for their end. True if there were any.
bool withdraw(const std::vector<UpdateHandle>& updates) {
  for (const UpdateHandle& update : updates) update_registry().withdraw(update.id());
  const Clock::time_point deadline = Clock::now() + to_end_a_change;
  while (!all_have_ended(updates) && Clock::now() < deadline) wait_a_moment(updates, deadline);
  return std::ranges::any_of(updates, [](const UpdateHandle& update) {
    const UpdateReport report = update.report();
    return report.state == UpdateState::aborted && report.reason == withdrawn_before_applied;
  });
}

/// Its record says that it was withdrawn. Its sender would rather know what it waited for.
void explain_withdrawal(UpdateReport& report, const UpdateReport& before) {
  if (report.state != UpdateState::aborted || report.reason != withdrawn_before_applied) return;
  report.code = ErrorCode::timed_out;
  report.reason = is_ended(before.state) ? "" : before.reason;
}

}  // namespace

WithdrawableRequest::WithdrawableRequest(std::string key) : key_(std::move(key)) {
  if (key_.empty()) return;
  const bool is_new =
      requests_in_progress().with([&](Requests& requests) { return requests.try_emplace(key_).second; });
  if (!is_new)
    throw Error(ErrorCode::invalid_argument, "another request in progress has the key \"" + key_ + "\"; take another");
}

WithdrawableRequest::~WithdrawableRequest() {
  if (!key_.empty()) requests_in_progress().with([&](Requests& requests) { requests.erase(key_); });
}

void WithdrawableRequest::add(std::uint64_t update) const {
  const bool is_too_late = with_request(key_, [&](RequestInProgress& request) {
    request.submitted.push_back(update);
    return request.is_withdrawn;
  });
  if (is_too_late) update_registry().withdraw(update);
}

bool WithdrawableRequest::is_withdrawn() const {
  return with_request(key_, [](const RequestInProgress& request) { return request.is_withdrawn; });
}

std::vector<UpdateReport> WithdrawableRequest::before_withdrawal() const {
  return with_request(key_, [](const RequestInProgress& request) { return request.before_withdrawal; });
}

void withdraw_request(const WithdrawRequest& request) {
  std::vector<UpdateReport> before = update_registry().reports();
  std::optional<std::vector<std::uint64_t>> submitted;
  requests_in_progress().with([&](Requests& requests) {
    const auto found = requests.find(request.key);
    if (found == requests.end()) return;
    submitted = found->second.submitted;
    std::erase_if(before, [&](const UpdateReport& report) {
      return is_ended(report.state) || std::ranges::find(*submitted, report.id) == submitted->end();
    });
    found->second.before_withdrawal = std::move(before);
    found->second.is_withdrawn = true;
  });
  if (!submitted)
    throw Error(ErrorCode::not_found, "no update request in progress has the key \"" + request.key +
                                          "\"; `rollback` withdraws or undoes an update by its name or id");
  for (const std::uint64_t update : *submitted) update_registry().withdraw(update);
}

WaitOutcome wait_for_updates(const std::vector<UpdateHandle>& updates, const UpdateWait& wait) {
  Notices notices(wait.tell);
  while (!all_have_ended(updates) && !wait.stop.stop_requested() && !wait.withdrawable.is_withdrawn() &&
         Clock::now() < wait.deadline) {
    wait_a_moment(updates, wait.deadline);
    notices.look_at(updates);
  }
  std::vector<UpdateReport> before = reports_of(updates);
  for (const UpdateReport& each : wait.withdrawable.before_withdrawal())
    std::ranges::replace_if(
        before, [&](const UpdateReport& report) { return report.id == each.id; }, each);
  const bool is_late = !wait.request.keep_trying && !wait.stop.stop_requested() && !all_have_ended(updates);
  WaitOutcome outcome;
  if (is_late || wait.withdrawable.is_withdrawn()) outcome.withdrawn = withdraw(updates);
  outcome.reports = reports_of(updates);
  if (outcome.withdrawn)
    for (std::size_t each = 0; each < before.size(); ++each) explain_withdrawal(outcome.reports[each], before[each]);
  return outcome;
}

std::string obstacle_of(const UpdateReport& update, const std::vector<UpdateReport>& all) {
  const std::string waits_for = update.reason.empty() ? "" : ": " + update.reason;
  if (update.state == UpdateState::active) return update.name + ": not applied yet" + waits_for;
  if (const UpdateReport* const front = one_in_front(update, all)) {
    const std::string why = front->reason.empty() ? "is being carried out" : "waits: " + front->reason;
    return update.name + ": waits behind " + describe(*front) + ", which " + why + "; `moult rollback` with its id " +
           std::to_string(front->id) + " withdraws that one";
  }
  if (update.postponements > 0)
    return update.name + ": not applied yet, " + std::to_string(update.postponements) + " times postponed" + waits_for;
  return update.name + ": waits for its manager " + update.manager;
}

}  // namespace moult::internal
