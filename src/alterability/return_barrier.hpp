// Waiting for quiescence with return barriers (threads/return_watch.hpp).
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/update.hpp"
#include "watch/return_watch.hpp"

namespace moult::internal {

/// The code of `functions`, sorted, without overlaps.
std::vector<CodeRange> code_of(std::span<const FunctionExtent> functions);

/// One wait; it may go on over several probes of an inline manager. Used in the steps of one update.
class ReturnWait final {
 public:
  ReturnWait(std::vector<FunctionExtent> functions, std::vector<ThreadId> threads);

  /// True leaves the program stopped by the current transaction, and nothing watched. After false nothing is watched
  /// either, and the transaction's reason says what was active. Throws Error (thread_unstoppable): what was watched may
  /// be so still, which harms nobody.
  bool wait(const Patience& patience);
  /// One probe: without a stop where it is known that a watched call has not returned. After false calls are watched.
  bool check(const Patience& patience);
  /// Takes what is watched back, in the stop of the current transaction.
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
