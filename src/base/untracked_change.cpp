#include "base/untracked_change.hpp"

#include "base/event.hpp"
#include "base/transaction.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

thread_local DirectChanges* changes_of_this_thread = nullptr;

void tell(const std::string& line) {
  Event event;
  event.kind = EventKind::changed_directly;
  event.text = line;
  event_log().publish(std::move(event));
}

}  // namespace

DirectChanges* DirectChanges::current() noexcept { return changes_of_this_thread; }

DirectChanges::Scope::Scope(DirectChanges& changes) noexcept
    : outer_(std::exchange(changes_of_this_thread, &changes)) {}

DirectChanges::Scope::~Scope() { changes_of_this_thread = outer_; }

void change_directly(const std::function<void()>& make, const std::function<std::vector<std::string>()>& what) {
  DirectChanges* const here = DirectChanges::current();
  const bool is_in_a_step = Transaction::current() != nullptr;
  const bool is_made = here == nullptr || here->mode() == DirectChanges::Mode::made;
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
  const DirectChanges* const here = DirectChanges::current();
  if (here == nullptr || here->mode() == DirectChanges::Mode::made) return;
  throw Error(ErrorCode::invalid_argument,
              what + " cannot be added here: a dry run makes no change, nor does prepare; move that to apply");
}

}  // namespace moult::internal
