// Relinking: calls of a function reach another one.
//
//   auto twice = moult::function<int(int)>("app::twice");   // by name, in prepare
//   moult::redefine_function(twice, thrice);                // in apply
//   moult::redefine_function(&app::greet, &greet_v2);       // or by address
//   old_greet = moult::original(&app::greet);               // for greet_v2, which calls what it replaces
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "moult/detail/caller.hpp"
#include "moult/detail/function_address.hpp"
#include "moult/detail/type_of.hpp"
#include "moult/error.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Marks a function that updates may replace by itself: the compiler makes no copy of it in its callers, and callers
/// assume nothing about its body, not even that it throws nothing. Any function with a symbol can be redefined without
/// the mark, as long as no copy exists; the mark guarantees it. With clang it gives the function weak linkage, which
/// excludes `static`, and which moult does not see on a hidden function.
#if defined(__clang__)
#define MOULT_UPDATABLE __attribute__((noinline, used, weak))
#else
// From a body g++ concludes that the function throws nothing, for noipa too, but not if memory accesses may throw. The
// alignment is that of -O2. It makes room for the entry jump, and in the debug information it tells of the mark.
#define MOULT_UPDATABLE __attribute__((noipa, used, aligned(16), optimize("non-call-exceptions")))
#endif

/// A function of the program, without its type. Made from a function pointer, a member function pointer or a typed
/// Function. A virtual member function is looked up in the vtable of the class that the pointer names.
class AnyFunction {
 public:
  template <class F>
  requires detail::function_or_member<F> AnyFunction(F function) : address_(detail::address_of(function)) {}
  AnyFunction(const void* address, std::string name) : address_(address), name_(std::move(name)) {}

  const void* address() const noexcept { return address_; }
  /// The name it was looked up by; empty if it was made from a pointer.
  const std::string& name() const noexcept { return name_; }

 private:
  const void* address_;
  std::string name_;
};

/// A function of the program whose signature is known, so that a replacement of another signature does not compile.
/// `Signature` is a function type, or for methods a pointer to a member function: `int (C::*)(int) const`.
template <class Signature>
class Function final : public AnyFunction {
 public:
  using Pointer = typename std::conditional_t<std::is_function_v<Signature>, std::add_pointer<Signature>,
                                              std::type_identity<Signature>>::type;

  Function(Pointer function) : AnyFunction(function) {}
  Function(const void* address, std::string name) : AnyFunction(address, std::move(name)) {}
};

/// Looks up a function by its demangled name without parameters: `function<int(int)>("ns::f")`. Finds static functions
/// and functions of libraries too. "(anonymous namespace)::" may be omitted. If several source files have a static
/// function of that name, prefix the file: "a.cpp:f". An exported function is preferred to copies that are private to
/// other libraries.
///
/// A method is looked up as a pointer to member: `function<int (C::*)(int) const>("ns::C::f")`, virtual or not; a
/// static method as a free function. C need only be declared, by the name it has in the program.
///
/// Reads symbol tables, so call it in prepare rather than in the pause. From any thread.
///
/// not_found: no function of that name
/// ambiguous: several functions of that name; the message lists them
/// signature_mismatch: the function has another signature
/// inlined: the function has no code of its own
/// unsupported: an indirect function (IFUNC)
template <class Signature>
Function<Signature> function(std::string_view name) {
  return Function<Signature>(detail::find_function(name, detail::type_of<typename detail::Wanted<Signature>::type>()),
                             std::string(name));
}

namespace detail::inline MOULT_ABI_NAMESPACE {

const void* original_version(const AnyFunction& function, Caller caller);

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// The version of `function` that this file's new version replaces, as a pointer of the function's own type. For new
/// versions that do what the old one did, and something more: a call by the old name reaches the new version again.
///
///   int (*old_price)(int);
///   int price_v2(int number) { return old_price(number) + 1; }
///   MOULT_UPDATE {
///     old_price = moult::original(&app::price);
///     moult::threaded_manager("main").add_update(
///         std::make_unique<moult::SafeRedefineUpdate>("price", &app::price, &price_v2));
///   }
///
/// The pointer can be called at any time. It leads to the version that was active before this file's was applied; if
/// that is rolled back, to the one below. While no version of this file is applied, it leads to the active version.
/// Several versions in one file count as one. A pointer to a member calls the version itself, also of a virtual
/// function: `(object.*old_price)(number)`. Calls of the function in the old version's code reach the new version.
///
/// It reads symbols: call it in the entry or in prepare, where a refusal ends the update, and not for a static variable
/// with an initialiser, whose exception would end the program. From any thread.
///
/// not_found: no function begins at the address, or it is this file's own copy of an inline function
/// too_short, no_room, system: as redefine_any_function
/// unsupported_code: the function's first instructions cannot be executed elsewhere, or it jumps back to them; put the
///   old body into the new version
template <class F>
requires detail::function_or_member<F> F original(F function, detail::Caller caller = {&detail::this_module}) {
  return detail::pointer_to<F>(detail::original_version(function, caller));
}

template <class Signature>
typename Function<Signature>::Pointer original(const Function<Signature>& function,
                                               detail::Caller caller = {&detail::this_module}) {
  return detail::pointer_to<typename Function<Signature>::Pointer>(detail::original_version(function, caller));
}

/// From now on calls of `old_function` reach `new_function`, however they are made: directly, by pointer, as a
/// callback, or from another library. Calls in progress go on in the old version. If the function is redefined again,
/// the newest version is active.
///
/// Called from a step of an update, the change belongs to that update: it is undone with it and can be rolled back. In
/// a stopped program it needs no stop of its own; elsewhere it makes one. The code of `new_function` must stay loaded.
///
/// It searches debug information. In a stop that is refused (unsupported) in a large program: prepare_redefinition
/// (updates.hpp) searches in prepare.
///
/// Writes an entry jump, in two phases as Ksplice does (Arnold and Kaashoek, EuroSys 2009). Throws before anything is
/// changed:
///
/// not_found: no function begins at one of the addresses
/// inlined: the compiler inlined some or all of the calls of the old function
/// too_short: the function has no room for the entry jump
/// unsupported_code: the entry cannot be patched safely
/// no_room: no free memory within 2 GB of the function
/// thread_unstoppable: a thread did not reach a safepoint in time
void redefine_any_function(const AnyFunction& old_function, const AnyFunction& new_function);

template <class R, class... Args>
void redefine_function(R (*old_function)(Args...), R (*new_function)(Args...)) {
  redefine_any_function(old_function, new_function);
}

template <class R, class... Args>
void redefine_function(const Function<R(Args...)>& old_function, R (*new_function)(Args...)) {
  redefine_any_function(old_function, new_function);
}

/// The same for member functions of classes with the same layout.
template <class Old, class New, class R, class... Args>
void redefine_function(R (Old::*old_function)(Args...), R (New::*new_function)(Args...)) {
  redefine_any_function(old_function, new_function);
}

template <class Old, class New, class R, class... Args>
void redefine_function(R (Old::*old_function)(Args...) const, R (New::*new_function)(Args...) const) {
  redefine_any_function(old_function, new_function);
}

/// The same for every other callable with a function's signature: functions with "...", lambdas without captures, and
/// methods with other qualifiers. Both sides have the same signature, qualifiers included; the new version of a
/// noexcept function is noexcept. A function that was looked up by name has the type that it was asked for as: write
/// noexcept there, too.
template <class Old, class Replacement>
void redefine_function(const Old& old_function, const Replacement& new_function) {
  if constexpr (!detail::replaceable<Old, Replacement>)
    detail::require_replaceable<Old, Replacement>();
  else
    redefine_any_function(detail::plain<std::decay_t<Old>>(old_function),
                          detail::plain<std::decay_t<Replacement>>(new_function));
}

}  // namespace moult
#pragma GCC visibility pop
