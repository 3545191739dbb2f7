// The signature of a function pointer, member function pointer or lambda, and the address of its code (Itanium C++ ABI,
// 2.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <typeinfo>

#include "moult/detail/abi.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {

template <class Signature>
class Function;

namespace detail::inline MOULT_ABI_NAMESPACE {

/// The type without `noexcept`, which does not change how a function is called.
template <class Type>
struct WithoutNoexcept;

// Qualifiers cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define MOULT_WITHOUT_NOEXCEPT(qualifiers)                                   \
  template <class R, class... Args, bool is_noexcept>                        \
  struct WithoutNoexcept<R(Args...) qualifiers noexcept(is_noexcept)> {      \
    using type = R(Args...) qualifiers;                                      \
    using result = R;                                                        \
    static constexpr bool never_throws = is_noexcept;                        \
  };                                                                         \
  template <class R, class... Args, bool is_noexcept>                        \
  struct WithoutNoexcept<R(Args..., ...) qualifiers noexcept(is_noexcept)> { \
    using type = R(Args..., ...) qualifiers;                                 \
    using result = R;                                                        \
    static constexpr bool never_throws = is_noexcept;                        \
  };
#define MOULT_WITHOUT_NOEXCEPT_REFERRED(qualifiers) \
  MOULT_WITHOUT_NOEXCEPT(qualifiers)                \
  MOULT_WITHOUT_NOEXCEPT(qualifiers&)               \
  MOULT_WITHOUT_NOEXCEPT(qualifiers&&)
MOULT_WITHOUT_NOEXCEPT_REFERRED()
MOULT_WITHOUT_NOEXCEPT_REFERRED(const)
MOULT_WITHOUT_NOEXCEPT_REFERRED(volatile)
MOULT_WITHOUT_NOEXCEPT_REFERRED(const volatile)
#undef MOULT_WITHOUT_NOEXCEPT_REFERRED
#undef MOULT_WITHOUT_NOEXCEPT
// NOLINTEND(bugprone-macro-parentheses)

/// A function's type, qualifiers included, and whether it is a member. Two functions of one kind may replace each
/// other.
template <class Type, bool is_member>
struct Kind {
  using result = typename WithoutNoexcept<Type>::result;
};

template <class F>
struct KindOf;
template <class Type>
struct KindOf<Type*> {
  using type = Kind<typename WithoutNoexcept<Type>::type, false>;
  static constexpr bool never_throws = WithoutNoexcept<Type>::never_throws;
};
template <class Class, class Type>
struct KindOf<Type Class::*> {
  using type = Kind<typename WithoutNoexcept<Type>::type, true>;
  static constexpr bool never_throws = WithoutNoexcept<Type>::never_throws;
};
template <class Signature>
struct KindOf<Function<Signature>> : KindOf<typename Function<Signature>::Pointer> {};

/// The type that a name is looked up with: a function type or a pointer to a member function, without noexcept.
template <class Signature>
struct Wanted : WithoutNoexcept<Signature> {};
template <class Class, class Type>
struct Wanted<Type Class::*> {
  using type = typename WithoutNoexcept<Type>::type Class::*;
};

/// Turns a captureless lambda into its function, and leaves anything else alone.
template <class F>
constexpr auto plain(const F& function) {
  if constexpr (std::is_class_v<F> && requires { +function; })
    return +function;
  else
    return function;
}
template <class F>
using Plain = decltype(plain(std::declval<const std::decay_t<F>&>()));

template <class F>
concept function_or_member =
    (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) || std::is_member_function_pointer_v<F>;

/// The result type of a call, given a pointer, a reference or a typed Function.
template <class F>
using ResultOf = typename KindOf<Plain<F>>::type::result;

/// Where callers know that `Old` throws nothing, an exception of `Replacement` would end the program.
template <class Old, class Replacement>
concept keeps_noexcept = !KindOf<Plain<Old>>::never_throws || KindOf<Plain<Replacement>>::never_throws;

/// `Replacement` may replace `Old`: they differ at most in their class, and only the new one may be noexcept.
template <class Old, class Replacement>
concept replaceable = function_or_member<Plain<Replacement>> && std::is_same_v < typename KindOf<Plain<Old>>::type,
typename KindOf<Plain<Replacement>>::type > &&keeps_noexcept<Old, Replacement>;

class any_class;

/// A function's type for an error of the compiler: `int (*)(int)`, or `int (any_class::*)(int) const` for a method;
/// anything else as it is.
template <class F>
struct Written {
  using type = F;
};
template <class F>
requires std::is_function_v<F>
struct Written<F*> {
  using type = typename WithoutNoexcept<F>::type*;
};
template <class Class, class F>
requires std::is_function_v<F>
struct Written<F Class::*> {
  using type = typename WithoutNoexcept<F>::type any_class::*;
};
template <class Signature>
struct Written<Function<Signature>> : Written<typename Function<Signature>::Pointer> {};

/// Does not compile unless `Replacement` may replace `Old`.
template <class Old, class Replacement>
constexpr void require_replaceable() {
  using OldType = typename Written<Plain<Old>>::type;
  using NewType = typename Written<Plain<Replacement>>::type;
  static_assert(std::is_same_v<OldType, NewType>,
                "a function is replaced by one of the same type: the same result, parameters and qualifiers");
  if constexpr (std::is_same_v<OldType, NewType>) {
    static_assert(function_or_member<Plain<Replacement>>, "this is no function, nor a lambda without captures");
    if constexpr (function_or_member<Plain<Replacement>>)
      static_assert(keeps_noexcept<Old, Replacement>,
                    "the new version of a noexcept function must be noexcept: write it in its declaration");
  }
}

struct MemberPointer {
  std::uintptr_t function;    ///< the address; for a virtual function, 1 + its offset in the vtable
  std::ptrdiff_t adjustment;  ///< from the object to the vtable pointer, or to the `this` that the function expects
};

/// The function that a pointer to a member of the class `type` names.
///
/// not_found: no vtable of the class has a symbol, or the function is pure
/// unsupported: the class was compiled without RTTI, and has several vtables or virtual bases
/// invalid_argument: the function belongs to a base that does not begin where the class does, so a method of the class
///   could
///   not replace it
const void* member_function(const std::type_info& type, MemberPointer member);

/// `signature` is the type of Wanted<Signature>. Throws Error: not_found, ambiguous, signature_mismatch, inlined,
/// unsupported.
const void* find_function(std::string_view name, const std::type_info& signature);

template <class Type>
requires std::is_function_v<Type>
const void* address_of(Type* function) { return reinterpret_cast<const void*>(function); }

template <class Class, class Type>
const void* address_of(Type Class::*member) {
  static_assert(sizeof(member) == sizeof(MemberPointer), "a member function pointer has the Itanium layout");
  MemberPointer parts;
  std::memcpy(&parts, &member, sizeof parts);
  if ((parts.function & 1) != 0 || parts.adjustment != 0) return member_function(type_of<Class>(), parts);
  return reinterpret_cast<const void*>(parts.function);
}

/// The pointer of type F to the code at `address`.
template <class F>
F pointer_to(const void* address) {
  if constexpr (std::is_pointer_v<F>) {
    return reinterpret_cast<F>(const_cast<void*>(address));
  } else {
    const MemberPointer parts{reinterpret_cast<std::uintptr_t>(address), 0};
    F pointer{};
    std::memcpy(&pointer, &parts, sizeof pointer);
    return pointer;
  }
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
