// The public record of a submitted update: its report, and notification when the report changes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/backoff.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// The reason of one that was withdrawn.
inline constexpr const char* withdrawn_before_applied = "withdrawn before it was applied";

/// Usable from any thread.
class RunRecord final {
 public:
  RunRecord(std::uint64_t id, std::string name, std::string manager);

  UpdateReport report() const;
  UpdateState state() const;
  bool is_settled() const;
  /// Waits until the update is settled.
  UpdateReport wait(Deadline deadline) const;

  /// Waits until its attempt is over. False if `deadline` has passed.
  bool wait_while_active(Deadline deadline) const;

  /// How many attempts to carry the update out have ended, in a final state or postponed.
  std::uint64_t attempts() const;
  /// Waits until more than `seen` attempts have ended or the update is settled. False if `deadline` has passed.
  bool wait_for_attempt(std::uint64_t seen, Deadline deadline) const;

  /// Its turn has come: makes the update active. False if it was withdrawn before.
  bool begin();
  /// Aborts an update that is queued or postponed; its manager then discards it. False if its turn has come.
  bool withdraw() noexcept;

  template <class Change>
  void change(Change&& change_report) {
    data_.with([&](Data& data) { change_report(data.report); });
    data_.notify();
  }
  template <class Change>
  void end_attempt(Change&& change_report) {
    data_.with([&](Data& data) {
      change_report(data.report);
      ++data.attempts;
    });
    data_.notify();
  }
  /// The manager has finished with the update: it is in a final state, or was only checked.
  template <class Change>
  void settle(Change&& change_report) {
    data_.with([&](Data& data) {
      change_report(data.report);
      data.settled = true;
    });
    data_.notify();
  }

 private:
  struct Data {
    UpdateReport report;
    std::uint64_t attempts = 0;
    bool settled = false;
  };
  mutable Guarded<Data> data_;
};

}  // namespace moult::internal
