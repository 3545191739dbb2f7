// Tells the events of one update, and keeps those of a pause back until the program runs again: a pause is short, and
// publishing writes to files and calls subscribers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/transaction.hpp"

namespace moult::internal {

/// Used by the thread that carries the update out. Nothing throws: an event that finds no memory is lost, the update
/// goes on.
class EventRecorder final {
 public:
  EventRecorder(std::uint64_t id, std::string update, std::string manager);

  /// Says nothing from now on: a dry run.
  void mute() noexcept { muted_ = true; }
  /// Makes room for the events of a pause. Before the pause.
  void reserve() noexcept;
  /// Published at once, or by the next flush when `transaction` holds the program stopped.
  void record(const Transaction& transaction, EventKind kind, std::string text = {},
              std::optional<ErrorCode> code = {}) noexcept;
  /// threads_suspended or threads_found_suspended, kept back; flush adds that they were resumed. The threads' names are
  /// looked up, in the pause, only when the log wants every step; otherwise they are counted.
  void record_pause(const Suspension& suspension, EventKind kind) noexcept;
  /// Publishes what was kept back. The program runs. `pause` is how long the stop told by record_pause lasted.
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
