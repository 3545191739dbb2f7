// The public face of an update: its defaults, and the handle that follows it.
#include "moult/update.hpp"

#include <utility>

#include "base/name.hpp"
#include "base/transaction.hpp"
#include "lifecycle/backoff.hpp"
#include "lifecycle/submission.hpp"
#include "lifecycle/update_run.hpp"

namespace moult {
namespace {

/// Probes until it holds or patience has run out. A probe that says no must not leave the program stopped for the
/// sleep.
template <class Probe>
bool probe_patiently(const Patience& patience, Probe&& holds) {
  lifecycle::Deadline deadline = lifecycle::deadline_after(patience.sleep_time * patience.max_tries);
  lifecycle::Backoff backoff(patience.sleep_time, deadline);
  for (;;) {
    if (holds()) return true;
    if (Transaction* transaction = Transaction::current()) transaction->resume();
    if (!backoff.sleep()) return false;
  }
}

}  // namespace

Update::Update(std::string name, std::vector<ThreadId> threads) : name_(std::move(name)), threads_(std::move(threads)) {
  check_name("an update's name", name_);
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

UpdateHandle::UpdateHandle(std::shared_ptr<lifecycle::UpdateRun> run) : run_(std::move(run)) {}

std::uint64_t UpdateHandle::id() const { return run_->id(); }

UpdateReport UpdateHandle::report() const { return run_->record().report(); }

UpdateReport UpdateHandle::wait(std::chrono::milliseconds timeout) const {
  const bool would_be_carried_out = run_->record().state() == UpdateState::queued;
  if (lifecycle::Submission::dry_run() != nullptr && would_be_carried_out) throw lifecycle::DryRunLeft{run_->name()};
  return run_->record().wait(lifecycle::deadline_after(timeout));
}

}  // namespace moult
