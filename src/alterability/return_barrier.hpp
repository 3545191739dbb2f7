// Waiting for quiescence with return barriers (watch/return_watch.hpp).
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/update.hpp"
#include "watch/return_watch.hpp"

namespace moult::internal {

/// One wait, over one or more probes of an inline manager. For the steps of one update.
class ReturnWait final {
 public:
  ReturnWait(std::vector<FunctionExtent> functions, std::vector<ThreadId> threads);

  /// True: the program is stopped by the current transaction. False: the transaction's reason names the active call. In
  /// both cases no call is watched any more. Throws Error (thread_unstoppable); then calls may still be watched, which
  /// is harmless.
  bool wait(const Patience& patience);
  /// One probe. Makes no stop while a watched call is known to be active. After false, calls are watched.
  bool check(const Patience& patience);
  /// Ends the watch, in the stop of the current transaction.
  void end(const StoppedWorld& stopped) noexcept;

 private:
  enum class Rest { watch, end };

  std::optional<Activity> probe(const Patience& patience, Rest rest);
  bool is_one_pending() const noexcept;

  std::vector<FunctionExtent> functions_;
  std::vector<CodeRange> code_;
  std::vector<ThreadId> threads_;
  Watch watch_;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace moult::internal
