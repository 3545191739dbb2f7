// The public side of an update: its defaults, and the handle that follows it.
#include "moult/update.hpp"

#include <optional>
#include <thread>
#include <utility>

#include "base/names.hpp"
#include "base/opaque.hpp"
#include "base/transaction.hpp"
#include "lifecycle/backoff.hpp"
#include "lifecycle/submission.hpp"
#include "lifecycle/update_run.hpp"

namespace moult {
namespace {

/// Probes until the answer is true or patience has run out. After a probe with the answer false the program must not
/// stay stopped during the sleep.
template <class Probe>
bool probe_patiently(const Patience& patience, Probe&& holds) {
  internal::Deadline deadline = internal::deadline_after(patience.sleep_time * patience.max_tries);
  internal::Backoff backoff(patience.sleep_time, deadline);
  for (;;) {
    if (holds()) return true;
    internal::Transaction* const transaction = internal::Transaction::current();
    if (transaction == nullptr) {
      if (!backoff.sleep()) return false;
      continue;
    }
    transaction->resume();
    const auto sleep = [](internal::Deadline until) { return std::this_thread::sleep_until(until), false; };
    const std::optional<internal::Deadline> next = backoff.next();
    if (!next || !transaction->rest(*next, sleep)) return false;
  }
}

internal::UpdateRun& known(detail::OpaqueUpdateRun& run) noexcept { return internal::behind<internal::UpdateRun>(run); }

}  // namespace

Update::Update(std::string name, std::vector<ThreadId> threads) : name_(std::move(name)), threads_(std::move(threads)) {
  internal::check_name("an update's name", name_);
}

Update::~Update() = default;

bool Update::wait_alterability() {
  return probe_patiently(patience_, [this] { return check_alterability(); });
}

bool Update::check_alterability() {
  throw Error(ErrorCode::invalid_argument,
              name_ + ": does not say when it may be applied; override check_alterability or wait_alterability");
}

bool Update::wait_over() {
  return probe_patiently(patience_, [this] { return check_over(); });
}

std::string_view name_of(UpdateState state) noexcept {
  switch (state) {
    case UpdateState::queued: return "queued";
    case UpdateState::active: return "active";
    case UpdateState::applied: return "applied";
    case UpdateState::refused: return "refused";
    case UpdateState::failed: return "failed";
    case UpdateState::aborted: return "aborted";
    case UpdateState::rolled_back: return "rolled_back";
  }
  return "unknown";
}

UpdateHandle::UpdateHandle(std::shared_ptr<detail::OpaqueUpdateRun> run) : run_(std::move(run)) {}

std::uint64_t UpdateHandle::id() const { return known(*run_).id(); }

UpdateReport UpdateHandle::report() const { return known(*run_).record().report(); }

UpdateReport UpdateHandle::wait(std::chrono::milliseconds timeout) const {
  const bool would_be_carried_out = known(*run_).record().state() == UpdateState::queued;
  if (internal::Submission::dry_run() != nullptr && would_be_carried_out)
    throw internal::DryRunLeft{known(*run_).name()};
  return known(*run_).record().wait(internal::deadline_after(timeout));
}

}  // namespace moult
