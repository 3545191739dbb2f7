// Forced quiescence: new calls wait at the entries until the calls inside have returned.
#pragma once

#include <memory>
#include <vector>

#include "alterability/return_barrier.hpp"
#include "code/gate.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// The closed entries of one update, from setup until their removal.
class ForcedQuiescence final {
 public:
  /// Throws Error: see setup_force_quiescence. Closes nothing yet.
  explicit ForcedQuiescence(const std::vector<AnyFunction>& functions);

  /// In a stop of the current transaction. Throws Error: thread_unstoppable, unsupported_code; then nothing is closed.
  void close(const Patience& patience);
  bool wait(const Patience& patience) { return wait_.wait(patience); }
  bool check(const Patience& patience) { return wait_.check(patience); }
  /// At any time.
  void open() noexcept { gates_.open(); }
  /// Does nothing when the jumps are removed already.
  void take_away(const StoppedWorld& stopped) noexcept;
  /// Call it when the program runs again after take_away.
  void finish() noexcept { gates_.finish(); }
  bool is_closed() const noexcept { return is_closed_; }

 private:
  struct Plan;
  explicit ForcedQuiescence(Plan plan);

  ReturnWait wait_;
  Gates gates_;
  bool is_closed_ = false;
};

}  // namespace moult::internal
