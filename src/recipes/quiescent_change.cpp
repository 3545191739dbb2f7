#include "recipes/quiescent_change.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "alterability/endless_calls.hpp"
#include "moult/error.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

void QuiescentChange::prepare(FunctionChange change, const std::vector<ThreadId>& threads,
                              std::vector<FunctionExtent> more, const std::vector<ClassName>& classes) {
  change_ = std::move(change);
  functions_.assign(change_->old_functions().begin(), change_->old_functions().end());
  std::ranges::move(more, std::back_inserter(functions_));
  warn_of_endless_calls(functions_, threads);
  if (!classes.empty()) objects_ = ObjectQuiescence::of_pools(classes, functions_);
}

bool QuiescentChange::wait(const Patience& patience, const std::vector<ThreadId>& threads) {
  return note(objects_ ? objects_->wait(patience) : wait_quiescence(functions_, patience, threads));
}

bool QuiescentChange::check(const Patience& patience, const std::vector<ThreadId>& threads) {
  return note(objects_ ? objects_->check(patience) : check_quiescence(functions_, patience, threads));
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
  if (quiescent_since_ != stopped->began())
    objects_ ? objects_->require(*stopped) : require_quiescence(*stopped, functions_);
  if (!threads.empty()) change_->require_clear(*stopped);
  change_->commit(*stopped, Transaction::current());
}

}  // namespace moult::internal
