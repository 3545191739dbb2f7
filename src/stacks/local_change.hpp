// Sets a variable in all calls of a function that are in progress.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "base/transaction.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/stack.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// Prepared while the program runs; committed in a stop, any number of times.
class LocalChange final : public detail::OpaqueLocalChange {
 public:
  /// Throws Error as LocalVariable's constructor does. Reads debug information.
  static std::shared_ptr<const LocalChange> prepare(const AnyFunction& function, std::string_view name,
                                                    const std::type_info& type, std::size_t size);

  /// Finds all calls, then sets the variable in each, and records the undo in `transaction`, if there is one. Returns
  /// the number of calls. Throws Error as LocalVariable::set does, having changed nothing.
  std::size_t commit(const StoppedWorld& stopped, std::span<const std::byte> value,
                     const std::vector<ThreadId>& threads, Transaction* transaction) const;
  /// "x of worker(int)".
  std::string text() const;
  std::size_t size() const noexcept { return size_; }

  struct State;
  explicit LocalChange(std::unique_ptr<const State> state, std::size_t size);
  ~LocalChange();

 private:
  std::unique_ptr<const State> state_;
  std::size_t size_;
};

}  // namespace moult::internal
