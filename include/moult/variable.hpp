// The program's variables by their names: those too that no library can link with.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "moult/detail/abi.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {

void* find_variable(std::string_view name, const std::type_info& type, std::size_t size);

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The program's variable of that name: global, hidden, static in a file, in a class or in a function.
///
///     int& served = moult::variable<int>("served");                 // or "server.cpp:served", "app::served"
///     int& next = moult::variable<int>("app::ticket()::next");      // static in the function app::ticket
///
/// "()" stands for any parameters, and "(anonymous namespace)::" may be omitted. If several source files have a
/// variable of that name, prefix the file. A new version of a function that has static variables goes on with the old
/// one's values in this way; its own static variables would begin anew.
///
/// Reads debug information, so call it in prepare or while the update is loaded, and keep the reference. From any
/// thread; reads and writes through the reference are the program's, and belong to no update.
///
/// not_found: no variable of that name has a place
/// ambiguous: several variables of that name; the message lists them
/// signature_mismatch: it has another type or size
/// unsupported: each thread has its own (thread_local)
template <class T>
T& variable(std::string_view name) {
  static_assert(std::is_object_v<T>, "name the variable's own type: moult::variable<int>(\"counter\")");
  return *static_cast<T*>(detail::find_variable(name, detail::type_of<T>(), sizeof(T)));
}

}  // namespace moult
#pragma GCC visibility pop
