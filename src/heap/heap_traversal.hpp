// Walking over the heap as a change of the program: refused before it begins, recorded in a transaction.
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
  /// Throws Error as traverse_heap says. Reads debug information.
  static HeapVisits prepare(const HeapWalker& walker, const HeapTraversal& options);
  HeapVisits(HeapVisits&&) noexcept;
  HeapVisits& operator=(HeapVisits&&) noexcept;
  ~HeapVisits();

  /// The code of which none may be active.
  std::span<const FunctionExtent> quiescent() const noexcept;
  /// Walks, then visits, and records in `transaction`, if there is one, how to take it back. Throws what the walker's
  /// functions throw, with what they did undone by theirs or left to the transaction; Error: still_active, system;
  /// std::bad_alloc.
  HeapSummary commit(const StoppedWorld& stopped, Transaction* transaction);

 private:
  struct State;
  explicit HeapVisits(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace moult::internal
