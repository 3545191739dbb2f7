// What everybody may know of an update that was handed in: its report, and being woken when that changes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/guarded.hpp"
#include "lifecycle/backoff.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// Usable from any thread.
class RunRecord final {
 public:
  RunRecord(std::uint64_t id, std::string name, std::string manager);

  UpdateReport report() const;
  UpdateState state() const;
  bool is_settled() const;
  /// Waits until it is settled.
  UpdateReport wait(Deadline deadline) const;

  /// How many attempts to carry the update out have ended, in a final state or postponed.
  std::uint64_t attempts() const;
  /// Waits until more than `seen` have, or it is settled; false when `deadline` has passed.
  bool wait_for_attempt(std::uint64_t seen, Deadline deadline) const;

  /// Its turn has come: it is active from now on. False when it was withdrawn before.
  bool begin();
  /// Before its turn, or postponed: it is aborted, and its manager will let it go. False when its turn has come.
  bool withdraw();

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
  /// The manager is done with the update: it is in a final state, or was only to be checked.
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
