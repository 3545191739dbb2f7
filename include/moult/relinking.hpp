// Relinking: calls of a function reach another one.
#pragma once

#include <string>
#include <string_view>

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
template <class Signature>
class Function;

template <class R, class... Args>
class Function<R(Args...)> final : public AnyFunction {
 public:
  Function(R (*function)(Args...)) : AnyFunction(function) {}
  Function(const void* address, std::string name) : AnyFunction(address, std::move(name)) {}
};

/// Looks a function up by its demangled name, parameters left out: `function<int(int)>("ns::f")`. Finds static
/// functions and those of other libraries too. "(anonymous namespace)::" may be left out; where several source files
/// have a static function of that name, put the file's in front: "a.cpp:f".
/// Throws Error: not_found, ambiguous (every candidate is listed), signature_mismatch. Not in a stopped program's apply
/// where the pause matters: it reads symbol tables.
template <class Signature>
Function<Signature> function(std::string_view name) {
  return Function<Signature>(detail::find_function(name, typeid(Signature)), std::string(name));
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

}  // namespace moult
#pragma GCC visibility pop
