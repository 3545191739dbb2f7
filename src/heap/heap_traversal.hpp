// A heap walk as a change of the program: checked before it begins, and recorded in a transaction.
#pragma once

#include <memory>
#include <span>

#include "alterability/quiescence.hpp"
#include "base/transaction.hpp"
#include "moult/heap_walker.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Prepared while the program runs, committed in a stop.
class HeapVisits final {
 public:
  /// Throws Error as traverse_heap does. Reads debug information.
  static HeapVisits prepare(const HeapWalker& walker, const HeapTraversal& options);
  HeapVisits(HeapVisits&&) noexcept;
  HeapVisits& operator=(HeapVisits&&) noexcept;
  ~HeapVisits();

  /// Code that must not be active.
  std::span<const FunctionExtent> quiescent() const noexcept;
  /// Walks, then visits, and records the undo in `transaction`, if there is one. Passes on what the walker's functions
  /// throw; their effects are undone by the undo functions, or left to the transaction. Throws Error: still_active,
  /// system; std::bad_alloc.
  HeapSummary commit(const StoppedWorld& stopped, Transaction* transaction);

 private:
  struct State;
  explicit HeapVisits(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace moult::internal
