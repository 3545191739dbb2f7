// What is made of a function's result type, and kept of a new function, before a call in progress is left.
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

/// Where a function puts a result (psABI, 3.2.3): in memory that its caller names, or in registers.
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

/// A new function with the state that it begins with.
class Successor {
 public:
  virtual ~Successor() = default;

  /// The library's record of the code that is about to run. It goes last, when the new function has returned.
  std::shared_ptr<const void> record{};
};

/// The one that the calling thread goes on with. To be called once, first of all, by what was entered instead of a
/// call.
std::unique_ptr<Successor> take_successor() noexcept;

template <class R, class State, class New>
class SuccessorOf final : public Successor {
 public:
  SuccessorOf(New fresh, State state) : fresh_(std::move(fresh)), state_(std::move(state)) {}

  /// It has the old function's result, and so puts it where the old one's caller looks for it.
  static R enter() {
    const std::unique_ptr<Successor> taken = take_successor();
    auto& self = static_cast<SuccessorOf&>(*taken);
    return std::invoke(std::move(self.fresh_), std::move(self.state_));
  }

 private:
  New fresh_;
  State state_;
};

using MakeSuccessor = std::function<std::unique_ptr<Successor>(const FrameView&)>;

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
