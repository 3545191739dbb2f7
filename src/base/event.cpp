// The event log: a ring of the last events, the log's destination, and the subscribers.
//
// Two locks are always taken in this order. `audience` is held while an event is numbered, written and passed to every
// subscriber. So all subscribers see the same order, and a subscription that is gone is not being called. `journal`
// then guards the ring and the file. Callbacks run under `audience` alone and may therefore read the journal.
//
// A publishing thread counts as a holder of a moult lock all that time. No stop is granted meanwhile, so publishing in
// a stopped program cannot wait for a stopped thread. Dates are computed here for the same reason: the C library's
// functions take a lock that a stopped thread may hold.
//
// An event has a bounded length, so that the ring has: at most 4096 events of 4 KiB of text and 64 threads each. A
// refusal may list more; the update's report has it in full.
#include "base/event.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <utility>

#include "base/guarded.hpp"
#include "base/log_file.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t kept_events = 4096;
constexpr std::size_t longest_text = 4096;  // bytes
constexpr std::size_t most_threads = 64;

struct Subscriber {
  std::uint64_t id = 0;
  EventLog::OnEvent on_event;
};

struct Audience {
  std::uint64_t last_id = 0;
  std::vector<Subscriber> subscribers;
};

struct Journal {
  std::deque<Event> events;
  std::uint64_t last_number = 0;
  LogLevel level = LogLevel::errors;
  LogFile file;
};

/// "2026-11-22T20:57:48.123Z"
std::string iso_time(std::chrono::system_clock::time_point time) {
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

/// Cuts what is too long for a kept event, and says how much is missing.
void shorten(Event& event) {
  if (event.text.size() > longest_text) {
    std::size_t end = longest_text;
    while (end > 0 && (static_cast<unsigned char>(event.text[end]) & 0xC0U) == 0x80U) --end;  // within a character
    const std::string rest = std::to_string(event.text.size() - end);
    event.text.replace(end, std::string::npos, "... (" + rest + " bytes more)");
  }
  if (event.threads.size() <= most_threads) return;
  const std::string rest = std::to_string(event.threads.size() - most_threads);
  event.threads.resize(most_threads);
  event.threads.push_back(rest + " more");
}

/// Numbers and keeps the event, and writes it if the log level includes it.
void enter(Journal& journal, Event& event) {
  event.number = journal.last_number + 1;
  event.time = std::chrono::system_clock::now();
  journal.events.push_back(event);
  ++journal.last_number;
  if (journal.events.size() > kept_events) journal.events.pop_front();
  if (level_of(event.kind) <= journal.level) journal.file.write_line(iso_time(event.time) + " " + to_text(event));
}

void tell(const Audience& audience, const Event& event) {
  for (const Subscriber& subscriber : audience.subscribers) {
    try {
      subscriber.on_event(event);
    } catch (...) {
      // The callback promised not to throw. The other subscribers still get the event.
    }
  }
}

}  // namespace

struct EventLog::State {
  Guarded<Audience> audience;
  Guarded<Journal> journal;
};

EventLog::EventLog() : state_(std::make_shared<State>()) {}
EventLog::~EventLog() = default;

void EventLog::publish(Event event) {
  shorten(event);
  state_->audience.with([&](const Audience& audience) {
    state_->journal.with([&](Journal& journal) { enter(journal, event); });
    tell(audience, event);
  });
}

void EventLog::set_level(LogLevel level) {
  state_->journal.with([&](Journal& journal) { journal.level = level; });
}

LogLevel EventLog::level() const {
  return state_->journal.with([](const Journal& journal) { return journal.level; });
}

void EventLog::set_path(const std::string& path) {
  LogFile file = path.empty() ? LogFile() : LogFile(path);
  state_->journal.with([&](Journal& journal) { std::swap(journal.file, file); });
}

std::vector<Event> EventLog::since(std::uint64_t after) const {
  return state_->journal.with([&](const Journal& journal) {
    auto first = std::ranges::upper_bound(journal.events, after, {}, &Event::number);
    return std::vector<Event>(first, journal.events.end());
  });
}

EventLog::Subscription::Subscription(std::shared_ptr<State> state, std::uint64_t id)
    : state_(std::move(state)), id_(id) {}

EventLog::Subscription::~Subscription() {
  state_->audience.with([&](Audience& audience) {
    std::erase_if(audience.subscribers, [&](const Subscriber& subscriber) { return subscriber.id == id_; });
  });
}

std::unique_ptr<EventLog::Subscription> EventLog::subscribe(OnEvent on_event) {
  std::uint64_t id = state_->audience.with([&](Audience& audience) {
    audience.subscribers.push_back({++audience.last_id, std::move(on_event)});
    return audience.last_id;
  });
  return std::unique_ptr<Subscription>(new Subscription(state_, id));
}

EventLog& event_log() {
  static EventLog* const log = new EventLog;
  return *log;
}

}  // namespace moult::internal

namespace moult {

void set_log_level(LogLevel level) { internal::event_log().set_level(level); }

void set_log_path(const std::string& path) { internal::event_log().set_path(path); }

void log(std::string_view text) {
  internal::Event event;
  event.text = text;
  internal::event_log().publish(std::move(event));
}

}  // namespace moult
