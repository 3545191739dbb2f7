// The code address behind a function pointer or a member function pointer (Itanium C++ ABI, 2.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#pragma GCC visibility push(default)
namespace moult {
namespace detail {

template <class F>
concept function_or_member =
    (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) || std::is_member_function_pointer_v<F>;

/// Reads entry `offset` (bytes) of the class's vtable. Throws Error (not_found) where the class has no vtable symbol or
/// the entry is pure virtual.
const void* virtual_function(const std::type_info& type, std::ptrdiff_t offset);

/// Throws Error: not_found, ambiguous, signature_mismatch.
const void* find_function(std::string_view name, const std::type_info& signature);

template <class R, class... Args>
const void* address_of(R (*function)(Args...)) {
  return reinterpret_cast<const void*>(function);
}

struct MemberPointer {
  std::uintptr_t function;  ///< the address; or for a virtual function 1 + its offset in the vtable
  std::ptrdiff_t adjustment;
};

template <class Class, class Type>
const void* address_of(Type Class::*member) {
  static_assert(sizeof(member) == sizeof(MemberPointer), "a member function pointer has the Itanium layout");
  MemberPointer parts;
  std::memcpy(&parts, &member, sizeof parts);
  if (parts.function & 1) return virtual_function(typeid(Class), static_cast<std::ptrdiff_t>(parts.function - 1));
  return reinterpret_cast<const void*>(parts.function);
}

}  // namespace detail
}  // namespace moult
#pragma GCC visibility pop
