// A change of functions that is made when none of them is active: what updates of functions have in common.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "alterability/object_quiescence.hpp"
#include "alterability/quiescence.hpp"
#include "functions/function_change.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// The steps of an update, called as the update's own. Throws what FunctionChange throws.
class QuiescentChange final {
 public:
  /// `more` must be left by all threads, too. The objects of `classes` change in the same stop: no thread may be about
  /// to construct or to release one.
  void prepare(FunctionChange change, const std::vector<ThreadId>& threads, std::vector<FunctionExtent> more = {},
               const std::vector<ClassName>& classes = {});
  bool wait(const Patience& patience, const std::vector<ThreadId>& threads);
  bool check(const Patience& patience, const std::vector<ThreadId>& threads);
  /// In the stop of the current update. Throws Error also: invalid_argument, when a hook of the update `name` has
  /// resumed the program.
  void apply(const std::string& name, const std::vector<ThreadId>& threads);
  /// After prepare.
  FunctionChange& change() { return *change_; }

 private:
  bool note(bool is_quiescent);

  std::optional<FunctionChange> change_;
  std::vector<FunctionExtent> functions_;                    ///< that must be quiescent
  std::optional<ObjectQuiescence> objects_;                  ///< includes the functions
  std::chrono::steady_clock::time_point quiescent_since_{};  ///< the stop of the last successful check, by its begin
};

}  // namespace moult::internal
