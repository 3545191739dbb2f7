// The std::type_info of a type, in code that was compiled without RTTI too.
//
// Problem: with -fno-rtti neither compiler has `typeid`. moult needs no more of a type than its mangled name.
//
// Approach: the name of a function `moult_type_marker(T*)` is "_Z17moult_type_markerP" and the mangled T, exactly as
// its type_info has it: a plain function's name gives the abbreviations of Itanium's mangling nothing to refer to. The
// assembler puts the function's name among the constants, and the library makes a type_info of it. The function itself
// is never called. It must be a friend in the global namespace, since a namespace's name could be abbreviated.
#pragma once

#include <type_traits>
#include <typeinfo>

#include "moult/detail/abi.hpp"

#pragma GCC visibility push(default)
namespace moult::detail::inline MOULT_ABI_NAMESPACE {
/// The type_info for the T in the name of `moult_type_marker(T*)`; equal to that of code with RTTI. Lives for ever.
/// `place` is the T's own.
const std::type_info& type_of_marker(const char* marker, const void* place);
}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
#pragma GCC visibility pop

#ifdef __GXX_RTTI

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

/// True in code with RTTI, where an object with virtual functions knows its class.
inline constexpr bool has_rtti = true;

/// `typeid(T)`, with or without RTTI.
template <class T>
[[gnu::always_inline]] inline const std::type_info& type_of() noexcept {
  return typeid(T);
}

/// `typeid(object)`: the class of the whole object. Without RTTI, the class it is named by.
template <class T>
[[gnu::always_inline]] inline const std::type_info& type_of_whole(const T& object) noexcept {
  return typeid(object);
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

#else

template <class T>
struct MoultTypeMarker {
  static inline char place = 0;  ///< tells classes of unnamed namespaces apart, whose names may be equal
  [[gnu::visibility("hidden")]] friend void moult_type_marker(T*) {}
};

template <class T>
[[gnu::visibility("hidden")]] const std::type_info& moult_type_without_rtti() {
  [[gnu::visibility("hidden")]] void moult_type_marker(T*);  // MoultTypeMarker<T> defines it
  const char* name = nullptr;
  asm("lea 1f(%%rip), %0\n\t"
      ".pushsection .rodata.moult_types,\"a\",@progbits\n"
      "1:\t.asciz \"%c1\"\n\t"
      ".popsection"
      : "=r"(name)
      : "X"(static_cast<void (*)(T*)>(moult_type_marker)));
  static const std::type_info& made = moult::detail::type_of_marker(name, &MoultTypeMarker<T>::place);
  return made;
}

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

inline constexpr bool has_rtti = false;

template <class T>
[[gnu::always_inline]] inline const std::type_info& type_of() {
  return moult_type_without_rtti<std::remove_cvref_t<T> >();
}

template <class T>
[[gnu::always_inline]] inline const std::type_info& type_of_whole(const T&) {
  return type_of<T>();
}

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE

#endif
