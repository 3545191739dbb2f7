// Which module hands code to moult.
#pragma once

#include <cstring>
#include <type_traits>

#include "moult/detail/abi.hpp"

#pragma GCC visibility push(default)
namespace moult::detail::inline MOULT_ABI_NAMESPACE {

/// Hidden, so that each module has its own.
inline constinit char this_module [[gnu::visibility("hidden")]] = 0;

/// The module that hands code to moult, and the code where that is a function. `Caller{&this_module}` names the module
/// that this expression is compiled into: write it in a default argument, or in a template with hidden visibility. The
/// loader binds any other template to one copy for all modules.
struct Caller {
  const void* module = nullptr;
  const void* function = nullptr;
};

/// The address of the function that is called; null for a callable object. A std::make_unique or an emplace in between
/// may be a copy of another module, which then is the caller: the function tells its own module.
template <class Callable>
const void* function_in(const Callable& callable) noexcept {
  constexpr bool is_function = std::is_function_v<std::remove_pointer_t<Callable>>;
  const void* address = nullptr;
  if constexpr (is_function || std::is_member_function_pointer_v<Callable>)
    std::memcpy(&address, &callable, sizeof address);
  return address;
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
#pragma GCC visibility pop
