#include "base/untracked_change.hpp"

#include "base/event.hpp"
#include "base/transaction.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

void tell(const std::string& line) {
  Event event;
  event.kind = EventKind::changed_directly;
  event.text = line;
  event_log().publish(std::move(event));
}

}  // namespace

void change_untracked(const std::function<void()>& make, const std::function<std::vector<std::string>()>& what) {
  UntrackedChanges* const here = UntrackedChanges::current();
  const bool is_in_a_step = Transaction::current() != nullptr;
  const bool is_made = here == nullptr || here->mode() == UntrackedChanges::Mode::made;
  if (!is_made && is_in_a_step)
    throw Error(ErrorCode::invalid_argument,
                "prepare must not change the program; move that to preupdate_setup or apply");
  if (is_made) make();
  if (is_in_a_step) return;
  for (std::string& line : what()) {
    if (is_made) tell(line);
    if (here != nullptr) here->note(std::move(line));
  }
}

void require_changes_are_made(const std::string& what) {
  const UntrackedChanges* const here = UntrackedChanges::current();
  if (here == nullptr || here->mode() == UntrackedChanges::Mode::made) return;
  throw Error(ErrorCode::invalid_argument,
              what + " cannot be added here: a dry run makes no change, nor does prepare; move that to apply");
}

}  // namespace moult::internal
