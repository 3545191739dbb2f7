// Relinking: calls of a function reach another one.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "moult/detail/function_address.hpp"
#include "moult/error.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Marks a function that updates may replace on its own: no copy of it is made in its callers, and callers assume
/// nothing about its body. Any function with a symbol can be redefined without it as long as no copy exists; the mark
/// makes sure of that. With clang it gives the function weak linkage, so it does not go with `static`.
#if defined(__clang__)
#define MOULT_UPDATABLE __attribute__((noinline, used, weak))
#else
#define MOULT_UPDATABLE __attribute__((noipa, used))
#endif

/// Some function of the program, its type forgotten. Made from a function pointer, a member function pointer or a typed
/// Function; a virtual member function is looked up in the vtable of the class named by the pointer.
class AnyFunction {
 public:
  template <class F>
  requires detail::function_or_member<F> AnyFunction(F function) : address_(detail::address_of(function)) {}
  AnyFunction(const void* address, std::string name) : address_(address), name_(std::move(name)) {}

  const void* address() const noexcept { return address_; }
  /// The name it was looked up by; empty when it was made from a pointer.
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

/// Looks a function up by its demangled name, parameters left out: `function<int(int)>("ns::f")`. Finds static
/// functions and those of other libraries too. "(anonymous namespace)::" may be left out; where several source files
/// have a static function of that name, put the file's in front: "a.cpp:f". Of a function that several modules have, an
/// exported one is preferred to copies that are private to other libraries.
///
/// A method is asked for by a pointer to member: `function<int (C::*)(int) const>("ns::C::f")`, whether it is virtual
/// or not; a static one as a free function. C need only be declared, and under the name that it has in the program.
///
/// Throws Error: not_found, ambiguous (every candidate is listed), signature_mismatch, inlined (no code of its own is
/// left), unsupported (an indirect function). Not in a stopped program's apply where the pause matters: it reads symbol
/// tables.
template <class Signature>
Function<Signature> function(std::string_view name) {
  return Function<Signature>(detail::find_function(name, typeid(typename detail::Wanted<Signature>::type)),
                             std::string(name));
}

/// From now on calls of `old_function` reach `fresh`, however they are made: directly, by pointer, callback, or from
/// another library. Calls in progress go on in the old version. Redefined again, the newest wins everywhere.
///
/// Called from a step of an update it belongs to that update: it is undone with it and can be rolled back; in a stopped
/// program it needs no stop of its own, elsewhere it stops the program for the change. The fresh function's code must
/// stay loaded.
///
/// How: an entry jump, after prepare/commit of Ksplice (Arnold and Kaashoek, EuroSys 2009). Throws Error before
/// anything is touched: not_found, inlined, too_short, unsupported_code, no_room, thread_unstoppable.
void redefine_any_function(const AnyFunction& old_function, const AnyFunction& fresh);

template <class R, class... Args>
void redefine_function(R (*old_function)(Args...), R (*fresh)(Args...)) {
  redefine_any_function(old_function, fresh);
}

template <class R, class... Args>
void redefine_function(const Function<R(Args...)>& old_function, R (*fresh)(Args...)) {
  redefine_any_function(old_function, fresh);
}

/// The same for member functions of classes whose objects are laid out alike.
template <class Old, class New, class R, class... Args>
void redefine_function(R (Old::*old_function)(Args...), R (New::*fresh)(Args...)) {
  redefine_any_function(old_function, fresh);
}

template <class Old, class New, class R, class... Args>
void redefine_function(R (Old::*old_function)(Args...) const, R (New::*fresh)(Args...) const) {
  redefine_any_function(old_function, fresh);
}

/// The same for everything else that has a function's signature: functions with "...", lambdas without captures, and
/// methods with other qualifiers. Both sides have the same signature,
/// qualifiers included; noexcept is no part of it.
template <class Old, class Fresh>
requires detail::replaceable<Old, Fresh>
void redefine_function(const Old& old_function, const Fresh& fresh) {
  redefine_any_function(detail::plain<std::decay_t<Old>>(old_function), detail::plain<std::decay_t<Fresh>>(fresh));
}

}  // namespace moult
#pragma GCC visibility pop
