// The text of each event. Where Pymoult has the same event, the wording is Pymoult's.
#include <cstdio>

#include "base/event.hpp"
#include "base/visible_text.hpp"

namespace moult::internal {
namespace {

std::string list_of(const Event& event) {
  if (event.threads.empty()) return event.text.empty() ? "no other thread" : event.text;
  std::string list;
  for (const std::string& thread : event.threads) list += (list.empty() ? "" : ", ") + thread;
  return list;
}

std::string milliseconds(std::chrono::nanoseconds length) {
  char digits[48];
  std::snprintf(digits, sizeof digits, "%.3f ms", static_cast<double>(length.count()) / 1e6);
  return digits;
}

/// ": reason", or nothing.
std::string because(const Event& event) { return event.text.empty() ? "" : ": " + event.text; }

std::string resumed(const Event& event) {
  std::string line = event.manager + " resumed " + list_of(event);
  if (event.pause > std::chrono::nanoseconds::zero()) line += " after " + milliseconds(event.pause);
  return line;
}

std::string timed_out_suspending(const Event& event) {
  if (event.threads.empty()) return event.manager + " timed out suspending the program" + because(event);
  return event.manager + " timed out suspending " + list_of(event) + because(event);
}

std::string warning(const Event& event) {
  if (event.update.empty()) return "warning" + because(event);
  return "warning, " + event.update + because(event);
}

std::string words_of(const Event& event) {
  switch (event.kind) {
    case EventKind::message: return event.text;
    case EventKind::update_queued: return event.update + " added to " + event.manager + "'s queue";
    case EventKind::update_begun: return event.manager + " begins " + event.update;
    case EventKind::alterability_reached: return "alterability of " + event.update + " reached";
    case EventKind::threads_suspended: return event.manager + " suspended " + list_of(event);
    case EventKind::threads_found_suspended: return event.manager + " found " + list_of(event) + " already suspended";
    case EventKind::threads_resumed: return resumed(event);
    case EventKind::update_over: return event.update + " over";
    case EventKind::update_completed: return event.update + " completed";
    case EventKind::update_rolled_back: return event.update + " rolled back" + because(event);
    case EventKind::not_alterable: return event.update + " not alterable, postponed" + because(event);
    case EventKind::requirements_not_met: return event.update + "'s requirements not met, postponed" + because(event);
    case EventKind::requirements_never_met: return event.update + "'s requirements can never be met, aborted";
    case EventKind::suspend_timed_out: return timed_out_suspending(event);
    case EventKind::update_refused: return event.update + " refused" + because(event);
    case EventKind::update_failed: return event.update + " failed" + because(event);
    case EventKind::undo_failed: return event.update + " could not be undone" + because(event);
    case EventKind::file_refused: return "update file refused" + because(event);
    case EventKind::update_loaded: return event.text + " loaded";
    case EventKind::warning: return warning(event);
    case EventKind::update_withdrawn: return event.update + " withdrawn";
    case EventKind::changed_directly: return event.text + ", outside of any update";
  }
  return "unknown event";
}

}  // namespace

std::string_view name_of(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::message: return "message";
    case EventKind::update_queued: return "update_queued";
    case EventKind::update_begun: return "update_begun";
    case EventKind::alterability_reached: return "alterability_reached";
    case EventKind::threads_suspended: return "threads_suspended";
    case EventKind::threads_found_suspended: return "threads_found_suspended";
    case EventKind::threads_resumed: return "threads_resumed";
    case EventKind::update_over: return "update_over";
    case EventKind::update_completed: return "update_completed";
    case EventKind::update_rolled_back: return "update_rolled_back";
    case EventKind::not_alterable: return "not_alterable";
    case EventKind::requirements_not_met: return "requirements_not_met";
    case EventKind::requirements_never_met: return "requirements_never_met";
    case EventKind::suspend_timed_out: return "suspend_timed_out";
    case EventKind::update_refused: return "update_refused";
    case EventKind::update_failed: return "update_failed";
    case EventKind::undo_failed: return "undo_failed";
    case EventKind::file_refused: return "file_refused";
    case EventKind::update_loaded: return "update_loaded";
    case EventKind::warning: return "warning";
    case EventKind::update_withdrawn: return "update_withdrawn";
    case EventKind::changed_directly: return "changed_directly";
  }
  return "unknown";
}

LogLevel level_of(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::message: return LogLevel::none;
    case EventKind::update_queued:
    case EventKind::update_begun:
    case EventKind::alterability_reached:
    case EventKind::threads_suspended:
    case EventKind::threads_found_suspended:
    case EventKind::threads_resumed:
    case EventKind::update_over:
    case EventKind::update_completed:
    case EventKind::update_rolled_back:
    case EventKind::update_loaded:
    case EventKind::update_withdrawn:
    case EventKind::changed_directly: return LogLevel::all;
    case EventKind::not_alterable:
    case EventKind::requirements_not_met:
    case EventKind::requirements_never_met:
    case EventKind::suspend_timed_out:
    case EventKind::update_refused:
    case EventKind::update_failed:
    case EventKind::undo_failed:
    case EventKind::file_refused:
    case EventKind::warning: return LogLevel::errors;
  }
  return LogLevel::errors;
}

std::string to_text(const Event& event) {
  std::string line = words_of(event);
  for (char& letter : line)
    if (letter == '\n' || letter == '\r') letter = ' ';
  return visible(line);
}

}  // namespace moult::internal
