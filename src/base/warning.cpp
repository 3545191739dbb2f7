#include "base/warning.hpp"

#include "base/event.hpp"
#include "base/transaction.hpp"
#include "base/untracked_change.hpp"

namespace moult::internal {
namespace {

void log_warning(const std::string& text) noexcept {
  try {
    Event event;
    event.kind = EventKind::warning;
    event.text = text;
    event_log().publish(std::move(event));
  } catch (...) {
    // No memory for the line in the log: the report has the warning.
  }
}

}  // namespace

void warn(const std::string& text) {
  if (Transaction* const transaction = Transaction::current()) {
    if (transaction->add_warning(text)) transaction->after_resume([text] { log_warning(text); });
    return;
  }
  if (UntrackedChanges* const changes = UntrackedChanges::current()) changes->add_warning(text);
  log_warning(text);
}

}  // namespace moult::internal
