// Redirection: all pointers of the program to one address get another.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/transaction.hpp"
#include "heap/heap_walk.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/redirection.hpp"
#include "symbols/heap_plan.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// The possible places of pointers of one type, read before the stop.
class PointerSearch final : public detail::OpaquePointerSearch {
 public:
  /// Throws Error as Pointers does. Reads debug information.
  PointerSearch(const detail::PointerType& type, const PointerRedirection& options);

  const std::string& type() const noexcept { return type_; }
  std::size_t size() const noexcept { return size_; }
  const std::vector<HeapNote>& not_followed() const noexcept { return plan_.not_followed; }
  HeapWalk walk(const StoppedWorld& stopped) const;

 private:
  std::string type_;
  std::size_t size_;
  std::size_t wanted_count_ = 0;
  HeapPlan plan_;
};

/// The redirection of the pointers that hold one address.
class PointerChange final {
 public:
  /// The targets are passed by the addresses of pointers that hold them; `caller` compiled the new target, or got it
  /// from elsewhere. Throws Error (invalid_argument) for a null pointer.
  PointerChange(std::shared_ptr<const PointerSearch> search, const void* old_target, const void* new_target,
                detail::Caller caller);
  PointerChange(PointerChange&&) noexcept;
  PointerChange& operator=(PointerChange&&) noexcept;
  ~PointerChange();

  /// Finds all pointers, then sets them, and records the undo in `transaction`, if there is one. Throws Error, having
  /// changed nothing: not_found, unsupported, system; std::bad_alloc.
  RedirectedPointers commit(const StoppedWorld& stopped, Transaction* transaction);
  /// "3 pointers of type int (*)(int) redirected: app::handler, ..."; before commit only the type.
  std::string line() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace moult::internal
