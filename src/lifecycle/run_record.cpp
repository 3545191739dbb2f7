#include "lifecycle/run_record.hpp"

#include <new>

namespace moult::internal {

RunRecord::RunRecord(std::uint64_t id, std::string name, std::string manager) {
  data_.with([&](Data& data) {
    data.report.id = id;
    data.report.name = std::move(name);
    data.report.manager = std::move(manager);
  });
}

UpdateReport RunRecord::report() const {
  return data_.with([](const Data& data) { return data.report; });
}

UpdateState RunRecord::state() const {
  return data_.with([](const Data& data) { return data.report.state; });
}

bool RunRecord::is_settled() const {
  return data_.with([](const Data& data) { return data.settled; });
}

UpdateReport RunRecord::wait(Deadline deadline) const {
  return data_.wait_until(
      deadline, [](const Data& data) { return data.settled; }, [](const Data& data, bool) { return data.report; });
}

bool RunRecord::wait_while_active(Deadline deadline) const {
  return data_.wait_until(
      deadline, [](const Data& data) { return data.settled || data.report.state != UpdateState::active; },
      [](const Data&, bool is_over) { return is_over; });
}

bool RunRecord::begin() {
  const bool is_begun = data_.with([](Data& data) {
    if (!data.settled) data.report.state = UpdateState::active;
    return !data.settled;
  });
  data_.notify();
  return is_begun;
}

bool RunRecord::withdraw() noexcept {
  const bool is_withdrawn = data_.with([](Data& data) {
    if (data.settled || data.report.state != UpdateState::queued) return false;
    data.report.state = UpdateState::aborted;
    data.report.code = ErrorCode::alterability;
    data.settled = true;
    try {
      data.report.reason = withdrawn_before_applied;
    } catch (const std::bad_alloc&) {  // it is withdrawn without the words
      data.report.reason.clear();
    }
    return true;
  });
  data_.notify();
  return is_withdrawn;
}

std::uint64_t RunRecord::attempts() const {
  return data_.with([](const Data& data) { return data.attempts; });
}

bool RunRecord::wait_for_attempt(std::uint64_t seen, Deadline deadline) const {
  return data_.wait_until(
      deadline, [&](const Data& data) { return data.attempts > seen || data.settled; },
      [](const Data&, bool ended) { return ended; });
}

}  // namespace moult::internal
