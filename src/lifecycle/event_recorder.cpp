#include "lifecycle/event_recorder.hpp"

#include <utility>

namespace moult::internal {
namespace {

constexpr std::size_t events_of_a_pause = 8;

std::string count_of(std::size_t threads) {
  if (threads == 0) return {};
  return std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

}  // namespace

EventRecorder::EventRecorder(std::uint64_t id, std::string update, std::string manager)
    : id_(id), update_(std::move(update)), manager_(std::move(manager)) {}

void EventRecorder::reserve() noexcept {
  try {
    kept_.reserve(events_of_a_pause);
    wants_names_ = event_log().level() == LogLevel::all;
  } catch (...) {
    wants_names_ = false;
  }
}

void EventRecorder::record(const Transaction& transaction, EventKind kind, std::string text,
                           std::optional<ErrorCode> code) noexcept {
  if (muted_) return;
  try {
    Event event = make(kind, std::move(text));
    event.code = code;
    if (transaction.suspension() != nullptr) {
      kept_.push_back(std::move(event));
    } else {
      event_log().publish(std::move(event));
    }
  } catch (...) {
  }
}

void EventRecorder::record_pause(const Suspension& suspension, EventKind kind) noexcept {
  if (muted_) return;
  try {
    Event event = make(kind, count_of(suspension.thread_count()));
    if (wants_names_) event.threads = suspension.thread_names();
    pause_ = event;
    kept_.push_back(std::move(event));
  } catch (...) {
  }
}

void EventRecorder::flush(std::chrono::nanoseconds pause) noexcept {
  try {
    if (pause_) {
      pause_->kind = EventKind::threads_resumed;
      pause_->pause = pause;
      kept_.push_back(*std::exchange(pause_, std::nullopt));
    }
    for (Event& event : std::exchange(kept_, {})) event_log().publish(std::move(event));
  } catch (...) {
  }
}

Event EventRecorder::make(EventKind kind, std::string text) const {
  Event event;
  event.kind = kind;
  event.manager = manager_;
  event.update = update_;
  event.update_id = id_;
  event.text = std::move(text);
  return event;
}

}  // namespace moult::internal
