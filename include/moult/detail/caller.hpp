// Which module a call of moult comes from.
#pragma once

#include "moult/detail/abi.hpp"

#pragma GCC visibility push(default)
namespace moult::detail::inline MOULT_ABI_NAMESPACE {

/// Hidden, so that each module has its own.
inline constinit char this_module [[gnu::visibility("hidden")]] = 0;

/// The module that hands code to moult. `Caller{&this_module}` names the module that this expression is compiled into:
/// write it in a default argument, or in a template with hidden visibility. The loader binds any other template to one
/// copy for all modules.
struct Caller {
  const void* module = nullptr;
};

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
#pragma GCC visibility pop
