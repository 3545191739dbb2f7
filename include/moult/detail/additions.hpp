// The untyped part of class_additions.hpp: values beside objects, and functions by class and name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "moult/detail/caller.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/detail/pools.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {

/// A value beside an object. Its code belongs to the module that made it, which stays loaded.
class SideValue {
 public:
  SideValue() = default;
  virtual ~SideValue() = default;
  SideValue(const SideValue&) = delete;
  SideValue& operator=(const SideValue&) = delete;

  SideValue* next = nullptr;
  const void* object = nullptr;
  std::uint64_t number = 0;  ///< unique in the process
};

template <class T>
class HeldValue final : public SideValue {
 public:
  template <class Make>
  explicit HeldValue(const Make& make) : value(make()) {}
  T value;
};

template <class T>
T& value_in(SideValue& value) noexcept {
  return static_cast<HeldValue<T>&>(value).value;
}

struct FieldKind {
  const std::type_info* owner = nullptr;
  std::string name;
  const std::type_info* type = nullptr;
  std::size_t size = 0;
  std::size_t alignment = 0;
  /// An address in the requesting module: its code may hold references to values from now on.
  const void* module = nullptr;
};

template <class Class, class T>
[[gnu::visibility("hidden")]] FieldKind field_kind(std::string_view name) {
  return {&type_of<Class>(), std::string(name), &type_of<T>(), sizeof(T), alignof(T), &this_module};
}

using MakeValue = std::function<std::unique_ptr<SideValue>(void* object)>;

/// See add_field_to_class. `make` is empty if objects are given their values one by one. `live` is the pool whose
/// objects get their values now; null if they wait for their first use.
OpaqueSideTable& add_field(const FieldKind& kind, MakeValue make, const OpaquePool* live);
/// Null when there is no field of that name. Throws Error (invalid_argument) when its type is another one.
OpaqueSideTable* find_field(const FieldKind& kind);
/// The same, but throws Error (not_found) when there is none.
OpaqueSideTable& require_field(const FieldKind& kind);

SideValue* find_value(const OpaqueSideTable& table, const void* object) noexcept;
SideValue& value_of(OpaqueSideTable& table, void* object);
/// Throws Error (invalid_argument) when the object has a value.
SideValue& give_value(OpaqueSideTable& table, void* object, std::unique_ptr<SideValue> value);
bool makes_values(const OpaqueSideTable& table) noexcept;
/// Gives the object a value in the field; if there is no such field, makes one with given values.
SideValue& add_mixin(const FieldKind& kind, void* object, std::unique_ptr<SideValue> value);
/// The type's name as the demangler writes it.
std::string name_of_type(const std::type_info& type);

using Code = void (*)();

struct MethodKind {
  const std::type_info* owner = nullptr;
  std::string name;
  const std::type_info* signature = nullptr;  ///< of std::type_identity<it>: typeid takes no qualified function type
};

struct MethodTarget {
  Code function = nullptr;  ///< R (*)(Class&, Args...), of any class
  Code invoker = nullptr;   ///< R (*)(Code function, void* object, Args...)
  std::ptrdiff_t offset = 0;
  bool is_of_whole = false;  ///< offset counts from the beginning of the whole object, not of the named class's part
};

void add_method(const MethodKind& kind, Code function, Code invoker);
/// Throws Error (not_found) when no such method is active for the class or a base of it.
OpaqueMethodTable& require_methods(const MethodKind& kind);
/// For an object of class `whole` that the caller knows as `named`. Throws Error (not_found).
MethodTarget target_in(OpaqueMethodTable& methods, const std::type_info& whole, const std::type_info& named);

template <class Function>
struct MethodParts;
template <class R, class Class, class... Args>
struct MethodParts<R (*)(Class&, Args...)> {
  using Owner = Class;
  using Signature = R(Args...);
  using Function = R (*)(Class&, Args...);
  static R invoke(Code function, void* object, Args... args) {
    return reinterpret_cast<Function>(function)(*static_cast<Class*>(object), std::forward<Args>(args)...);
  }
};
template <class R, class Class, class... Args>
struct MethodParts<R (*)(const Class&, Args...)> {
  using Owner = Class;
  using Signature = R(Args...) const;
  using Function = R (*)(const Class&, Args...);
  static R invoke(Code function, void* object, Args... args) {
    return reinterpret_cast<Function>(function)(*static_cast<const Class*>(object), std::forward<Args>(args)...);
  }
};
template <class R, class... Args>
struct MethodParts<R (*)(Args...) noexcept> : MethodParts<R (*)(Args...)> {};

template <class Signature>
struct MethodCall;
template <class R, class... Args>
struct MethodCall<R(Args...)> {
  using Result = R;
  using Invoker = R (*)(Code, void*, Args...);
  template <class Class>
  using Object = Class&;
};
template <class R, class... Args>
struct MethodCall<R(Args...) const> {
  using Result = R;
  using Invoker = R (*)(Code, void*, Args...);
  template <class Class>
  using Object = const Class&;
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
