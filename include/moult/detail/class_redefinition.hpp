// What the compiler knows of the two classes of redefine_class.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "moult/data_access.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {

struct ClassRedefinition;

namespace detail::inline MOULT_ABI_NAMESPACE {

/// Both classes of a redefinition. Bytes.
struct ClassPairing {
  const std::type_info* old_class = nullptr;
  const std::type_info* new_class = nullptr;
  std::size_t old_alignment = 0;
  std::size_t new_alignment = 0;
  OpaquePool* pool = nullptr;     ///< of the old class; null when it has none
  const void* destroy = nullptr;  ///< functions that do what the new class's own would, called in the same way
  const void* construct = nullptr;
};

template <class T>
[[gnu::noinline]] void destroy_object(void* object) noexcept {
  static_cast<T*>(object)->T::~T();
}

template <class T>
[[gnu::noinline]] void construct_object(void* object) {
  ::new (object) T;
}

/// A constructor or destructor that the update does not call has no code there: its stand-in is compiled here.
template <class Old, class New>
[[gnu::visibility("hidden")]] ClassPairing class_pairing() {
  static_assert(!std::is_same_v<Old, New>, "a class is redefined as another one");
  static_assert(!std::has_virtual_destructor_v<New> || has_own_pool<Old> == has_own_pool<New>,
                "objects are deleted by the new class's operator: let both derive from moult::Updatable, or neither");
  ClassPairing pairing{&type_of<Old>(), &type_of<New>(), alignof(Old), alignof(New)};
  if constexpr (has_own_pool<Old>) pairing.pool = &decltype(module_pool<Old>(static_cast<const Old*>(nullptr)))::get();
  if constexpr (std::is_destructible_v<New>) pairing.destroy = reinterpret_cast<const void*>(&destroy_object<New>);
  if constexpr (std::is_default_constructible_v<New>)
    pairing.construct = reinterpret_cast<const void*>(&construct_object<New>);
  return pairing;
}

void redefine_class(const ClassPairing& pairing, const ClassRedefinition& options);
std::shared_ptr<OpaquePreparedRedefinition> prepare_class(const ClassPairing& pairing,
                                                          const ClassRedefinition& options);

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
