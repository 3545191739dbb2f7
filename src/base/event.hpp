// Events: every step of an update as a value. The log file, `moult log -f`, the JSON reply and the trace timeline all
// render the same events.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moult/error.hpp"
#include "moult/log.hpp"

namespace moult::internal {

enum class EventKind {
  message,                  ///< level 0: the program's own line
  update_queued,            ///< level 2: added to M's queue
  update_begun,             ///< level 2: M begins U
  alterability_reached,     ///< level 2: alterability of U reached
  threads_suspended,        ///< level 2: M suspended T (threads lists them)
  threads_found_suspended,  ///< level 2: M found T already suspended
  threads_resumed,          ///< level 2: M resumed T
  update_over,              ///< level 2: U over
  update_completed,         ///< level 2: U completed
  update_rolled_back,       ///< level 2
  not_alterable,            ///< level 1: U not alterable, postponed
  requirements_not_met,     ///< level 1: U's requirements not met, postponed
  requirements_never_met,   ///< level 1: U's requirements can never be met, aborted
  suspend_timed_out,        ///< level 1: timed out suspending T
  update_refused,           ///< level 1: prepare said no; reason
  update_failed,            ///< level 1: a step threw, the update is undone; reason
  undo_failed,              ///< level 1: a change could not be undone; reason
  file_refused,             ///< level 1: update file not found / not an update
  update_loaded,            ///< level 2: a file was loaded
  warning,                  ///< level 1
  update_withdrawn,         ///< level 2: U taken out of its manager's queue
  changed_directly,         ///< level 2: an untracked change; the text describes it
};
std::string_view name_of(EventKind kind) noexcept;
LogLevel level_of(EventKind kind) noexcept;

struct Event {
  EventKind kind = EventKind::message;
  std::string manager;
  std::string update;
  std::uint64_t update_id = 0;
  std::string text;  ///< the reason, the message or the file
  std::optional<ErrorCode> code;
  std::vector<std::string> threads;  ///< "name (id)"
  std::chrono::nanoseconds pause{};  ///< of threads_resumed: how long the threads stood still
  /// Filled in by EventLog::publish.
  std::uint64_t number = 0;
  std::chrono::system_clock::time_point time{};
};

/// One line of text, as the log file shows it, without time or newline: "main suspended worker (1234)".
std::string to_text(const Event& event);

/// Keeps the last events, writes those of the chosen level to the log and calls the subscribers. Every member may be
/// called from any thread, also in a stopped program: no stop is granted while a thread is inside.
class EventLog final {
  struct State;

 public:
  EventLog();
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void publish(Event event);
  void set_level(LogLevel level);
  LogLevel level() const;
  /// "" selects standard error. Throws Error (system); the old destination stays.
  void set_path(const std::string& path);

  /// The kept events with a number above `after`, oldest first.
  std::vector<Event> since(std::uint64_t after) const;

  using OnEvent = std::function<void(const Event&)>;
  /// Unsubscribes when it is destroyed. After that the callback is not running and is not called again. The callback
  /// must not destroy it.
  class Subscription final {
   public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    friend class EventLog;
    Subscription(std::shared_ptr<State> state, std::uint64_t id);
    std::shared_ptr<State> state_;
    std::uint64_t id_;
  };
  /// Calls `on_event` in the publishing thread for every event of every level, in the order of the numbers. The
  /// callback must be quick and must not throw, publish or subscribe. It may call since and level.
  [[nodiscard]] std::unique_ptr<Subscription> subscribe(OnEvent on_event);

 private:
  std::shared_ptr<State> state_;
};

/// The process's log. It is never destroyed, because threads may publish until the process ends.
EventLog& event_log();

}  // namespace moult::internal
