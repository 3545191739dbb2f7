// Quiescence that is brought about: new calls wait at the entries until the calls inside have returned.
#pragma once

#include <memory>
#include <vector>

#include "alterability/return_barrier.hpp"
#include "code/gate.hpp"
#include "moult/relinking.hpp"
#include "moult/update.hpp"

namespace moult::internal {

/// The closed entries of one update, from setup until they are taken away.
class ForcedQuiescence final {
 public:
  /// Throws Error: see setup_force_quiescence. Nothing is closed yet.
  explicit ForcedQuiescence(const std::vector<AnyFunction>& functions);

  /// In a stop of the current transaction's. Throws Error: thread_unstoppable, unsupported_code; nothing is closed
  /// then.
  void close(const Patience& patience);
  bool wait(const Patience& patience) { return wait_.wait(patience); }
  bool check(const Patience& patience) { return wait_.check(patience); }
  /// At any time.
  void open() noexcept { gates_.open(); }
  /// Nothing when they are away.
  void take_away(const StoppedWorld& stopped) noexcept;
  /// To be called when the program runs again after take_away.
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
