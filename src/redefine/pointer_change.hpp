// All pointers of the program that hold one address, given another.
#pragma once

#include <memory>

#include "base/transaction.hpp"
#include "moult/redirection.hpp"
#include "threads/stopped_world.hpp"

namespace moult::redefine {

/// Prepared while the program runs, committed in a stop.
class PointerChange final {
 public:
  /// Throws Error as redirect_pointer says. Reads debug information.
  static PointerChange prepare(const detail::PointerPair& pair, const PointerRedirection& options);
  PointerChange(PointerChange&&) noexcept;
  PointerChange& operator=(PointerChange&&) noexcept;
  ~PointerChange();

  /// Finds all of them, then sets them, and records in `transaction`, if there is one, how to take it back. Throws
  /// Error, having changed nothing: not_found, unsupported, system; std::bad_alloc.
  RedirectedPointers commit(const threads::StoppedWorld& stopped, Transaction* transaction);
  /// "3 pointers of type int (*)(int) redirected: app::handler, ..."; before commit only the type.
  std::string line() const;

 private:
  struct State;
  explicit PointerChange(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace moult::redefine
