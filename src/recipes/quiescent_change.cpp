#include "recipes/quiescent_change.hpp"

#include <utility>

#include "alterability/endless_calls.hpp"
#include "alterability/quiescence.hpp"
#include "moult/error.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

void QuiescentChange::prepare(FunctionChange change, const std::vector<ThreadId>& threads) {
  change_ = std::move(change);
  warn_of_endless_calls(change_->old_functions(), threads);
}

bool QuiescentChange::wait(const Patience& patience, const std::vector<ThreadId>& threads) {
  return note(wait_quiescence(change_->old_functions(), patience, threads));
}

bool QuiescentChange::check(const Patience& patience, const std::vector<ThreadId>& threads) {
  return note(check_quiescence(change_->old_functions(), patience, threads));
}

bool QuiescentChange::note(bool is_quiescent) {
  if (is_quiescent) quiescent_since_ = current_stop()->began();
  return is_quiescent;
}

void QuiescentChange::apply(const std::string& name, const std::vector<ThreadId>& threads) {
  const StoppedWorld* const stopped = current_stop();
  if (stopped == nullptr)
    throw Error(ErrorCode::invalid_argument,
                name + ": the program was resumed before apply redefined anything; resume it in resume_hook");
  // A hook may have resumed the program; then quiescence was found in another stop. The same check is needed when only
  // some threads were named: the other threads must be out of the bytes that the change overwrites.
  if (quiescent_since_ != stopped->began()) require_quiescence(*stopped, change_->old_functions());
  if (!threads.empty()) change_->require_clear(*stopped);
  change_->commit(*stopped, Transaction::current());
}

}  // namespace moult::internal
