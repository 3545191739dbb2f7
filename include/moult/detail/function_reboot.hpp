// Where a function's result goes, and the new function with its state, before a call in progress is left.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "moult/detail/abi.hpp"

#pragma GCC visibility push(default)
namespace moult {

class FrameView;

namespace detail::inline MOULT_ABI_NAMESPACE {

/// Where a function puts its result (psABI, 3.2.3): in memory that its caller names, or in registers.
enum class ResultPlace { registers, memory };

template <class R>
constexpr ResultPlace place_of_result() {
  if constexpr (std::is_class_v<R> || std::is_union_v<R>) {
    constexpr bool is_copied_as_bytes = std::is_trivially_copy_constructible_v<R> &&
                                        std::is_trivially_move_constructible_v<R> &&
                                        std::is_trivially_destructible_v<R>;
    if (!is_copied_as_bytes || sizeof(R) > 16) return ResultPlace::memory;
  }
  return ResultPlace::registers;
}

/// A new function and the state it begins with.
class Successor {
 public:
  virtual ~Successor() = default;

  /// The library's record of the code that is about to run. It goes last, when the new function has returned.
  std::shared_ptr<const void> record{};
};

/// The successor that the calling thread goes on with. Call it once, as the first thing in the function that is entered
/// instead of a call.
std::unique_ptr<Successor> take_successor() noexcept;

template <class R, class State, class New>
class SuccessorOf final : public Successor {
 public:
  SuccessorOf(New replacement, State state) : replacement_(std::move(replacement)), state_(std::move(state)) {}

  /// Has the old function's result type, so the result goes where the old function's caller expects it.
  static R enter() {
    const std::unique_ptr<Successor> taken = take_successor();
    auto& self = static_cast<SuccessorOf&>(*taken);
    return std::invoke(std::move(self.replacement_), std::move(self.state_));
  }

 private:
  New replacement_;
  State state_;
};

using MakeSuccessor = std::function<std::unique_ptr<Successor>(const FrameView&)>;

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
