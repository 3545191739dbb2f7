// Publishes the events of one update. Those of a pause are held back until the program runs again: a pause must be
// short, and publishing writes to files and calls subscribers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/transaction.hpp"

namespace moult::internal {

/// Used by the thread that carries the update out. Nothing throws: if there is no memory for an event, the event is
/// lost and the update continues.
class EventRecorder final {
 public:
  EventRecorder(std::uint64_t id, std::string update, std::string manager);

  /// Records nothing from now on, for a dry run.
  void mute() noexcept { muted_ = true; }
  /// Makes room for the events of a pause. Call it before the pause.
  void reserve() noexcept;
  /// Publishes the event at once, or at the next flush if `transaction` has the program stopped.
  void record(const Transaction& transaction, EventKind kind, std::string text = {},
              std::optional<ErrorCode> code = {}) noexcept;
  /// Records threads_suspended or threads_found_suspended; flush adds that the threads were resumed. The threads' names
  /// are looked up, in the pause, only if the log includes every step. Otherwise the threads are counted.
  void record_pause(const Suspension& suspension, EventKind kind) noexcept;
  /// Publishes the events that were held back. The program runs. `pause` is the length of the stop that record_pause
  /// recorded.
  void flush(std::chrono::nanoseconds pause) noexcept;

 private:
  Event make(EventKind kind, std::string text) const;

  std::uint64_t id_;
  std::string update_;
  std::string manager_;
  std::vector<Event> kept_;
  std::optional<Event> pause_;
  bool wants_names_ = false;
  bool muted_ = false;
};

}  // namespace moult::internal
