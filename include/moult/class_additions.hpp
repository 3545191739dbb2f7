// What an update adds to a class beside its objects: fields, mixins, methods. Objects stay as they are, and so does the
// code that was compiled with the class.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "moult/data_access.hpp"
#include "moult/detail/additions.hpp"
#include "moult/detail/function_address.hpp"
#include "moult/detail/opaque.hpp"
#include "moult/error.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// A field of type T that was added to Class: a value for each object, in a table beside. A handle, to be copied and
/// kept; finding it by name takes longer than using it.
///
/// Every call is safe in any thread, also while others make, use and delete objects. The caller keeps the object alive
/// meanwhile, as for any use of it, and the value is shared as the object's own fields are: what protects those
/// protects it. It stays where it is until the object dies, whatever class the object is converted to.
template <detail::has_own_pool Class, class T>
class Field final {
  static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T>,
                "a field's type is that of a variable");
  static_assert(std::is_nothrow_destructible_v<T>, "values die where objects are deleted, which must not throw");

 public:
  /// The object's value, which is made now if it has none: two threads that come first at once may both make one, of
  /// which one is dropped. Throws what making it throws; std::bad_alloc; Error: not_found where values are given
  /// (Values::given) and this object has none, unsupported where the object is in no pool.
  T& of(Class& object) const { return detail::value_in<T>(detail::value_of(*table_, std::addressof(object))); }
  const T& of(const Class& object) const { return of(const_cast<Class&>(object)); }

  /// Null when the object has no value (yet).
  T* find(Class& object) const noexcept {
    detail::SideValue* found = detail::find_value(*table_, std::addressof(object));
    return found == nullptr ? nullptr : &detail::value_in<T>(*found);
  }
  const T* find(const Class& object) const noexcept { return find(const_cast<Class&>(object)); }

  /// Makes the object's value of `args`. Throws what that throws; std::bad_alloc; Error: invalid_argument where it has
  /// one, unsupported where it is in no pool.
  template <class... Args>
  T& give(Class& object, Args&&... args) const {
    auto fresh = std::make_unique<detail::HeldValue<T>>([&] { return T(std::forward<Args>(args)...); });
    return detail::value_in<T>(detail::give_value(*table_, std::addressof(object), std::move(fresh)));
  }

  /// False where only objects that are given a value have one.
  bool is_of_every_object() const noexcept { return detail::makes_values(*table_); }

  explicit Field(detail::OpaqueSideTable& table) noexcept : table_(&table) {}

 private:
  detail::OpaqueSideTable* table_;
};

/// When an object gets its value.
enum class Values {
  at_first_use,  ///< made when it is first asked for
  at_once,       ///< those of all objects that live, in a stop; later ones at their first use
  given,         ///< by Field::give, and an object that was given none has none
};

template <class Class, class T>
struct FieldOptions {
  Values values = Values::at_first_use;
  /// Makes a value; without it T(object) where T has such a constructor, else T(). Not with Values::given.
  std::function<T(Class&)> initial{};
};

namespace detail::inline MOULT_ABI_NAMESPACE {

template <class Class, class T>
std::unique_ptr<SideValue> default_value([[maybe_unused]] Class& object) {
  if constexpr (std::is_constructible_v<T, Class&>)
    return std::make_unique<HeldValue<T>>([&] { return T(object); });
  else if constexpr (std::is_default_constructible_v<T>)
    return std::make_unique<HeldValue<T>>([] { return T(); });
  else
    throw Error(ErrorCode::invalid_argument,
                "a field's value can be made neither of its object nor of nothing: say how (FieldOptions::initial), or "
                "give it (Values::given)");
}

template <class Class, class T>
MakeValue make_value(const FieldOptions<Class, T>& options) {
  if (options.values == Values::given) return {};
  return [initial = options.initial](void* object) -> std::unique_ptr<SideValue> {
    Class& typed = *static_cast<Class*>(object);
    if (!initial) return default_value<Class, T>(typed);
    return std::make_unique<HeldValue<T>>([&] { return initial(typed); });
  };
}

template <class Class>
[[gnu::visibility("hidden")]] const OpaquePool& own_pool() {
  return decltype(module_pool<Class>(static_cast<const Class*>(nullptr)))::get();
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// Adds a field to a class whose objects have no room for it, or that is not to be converted. Found again, by whichever
/// update, by class and name. A value is destroyed after its object, in the thread that deletes it; all that there are,
/// when the field is removed. A class without a pool does not compile: nobody would tell when its objects die.
///
/// Called from a step of an update it belongs to that update: undone and rolled back with it. That is refused
/// (still_active) while a thread is inside code of an update that has asked for the field, as it may hold a reference
/// to a value; values that code keeps by address for longer are its own concern. Handles go on working for whoever
/// still has one: with values made anew, of which the program sees no more by the field's name. With Values::at_once
/// the program is stopped unless it is, with no function of the class active (still_active); `initial` must not make or
/// delete objects of the class; and debug information is read, as redefine_class does.
///
/// Throws Error: invalid_argument where the class has a field of that name; what `initial` throws, nothing being added
/// then; std::bad_alloc. A pool whose objects have values deletes them more slowly, and no other does. After Pymoult's
/// addFieldToClass; the table is the shadow data of DynamOS (Makris and Ryu, EuroSys 2007) and Ksplice.
template <detail::has_own_pool Class, class T>
[[gnu::visibility("hidden")]] Field<Class, T> add_field_to_class(std::string_view name, const FieldOptions<Class, T>& options = {}) {
  const detail::OpaquePool* live = options.values == Values::at_once ? &detail::own_pool<Class>() : nullptr;
  return Field<Class, T>(detail::add_field(detail::field_kind<Class, T>(name), detail::make_value(options), live));
}

/// The field of that name. Throws Error: not_found; invalid_argument where its type is another one, naming both.
template <detail::has_own_pool Class, class T>
[[gnu::visibility("hidden")]] Field<Class, T> field(std::string_view name) {
  return Field<Class, T>(detail::require_field(detail::field_kind<Class, T>(name)));
}

// Mixins: a class that is added to another one, or to one object, as a whole. Its fields and methods are those of M, a
// field that goes by the name of its type. An M that wants to know its object has a constructor M(Class&).

namespace detail::inline MOULT_ABI_NAMESPACE {

template <class Class, std::size_t Reserve>
Class* pooled(const Updatable<Class, Reserve>* object);

/// The class, or the base of it, that derives from Updatable.
template <class Class>
struct Pooled {
  using type = std::remove_pointer_t<decltype(pooled(static_cast<Class*>(nullptr)))>;
};
template <has_own_pool Class>
struct Pooled<Class> {
  using type = Class;
};
template <class Class>
using PooledOf = typename Pooled<std::remove_const_t<Class>>::type;

template <class M, class Class>
[[gnu::visibility("hidden")]] FieldKind mixin_kind() {
  FieldKind kind = field_kind<Class, M>("");
  kind.name = name_of_type(typeid(M));
  return kind;
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// From now on every object of the class has an M. As add_field_to_class.
template <class M, detail::has_own_pool Class>
[[gnu::visibility("hidden")]] Field<Class, M> add_mixin_to_class(const FieldOptions<Class, M>& options = {}) {
  return add_field_to_class<Class, M>(detail::name_of_type(typeid(M)), options);
}

/// This object has an M, made of `args`. Throws Error as Field::give. Undone with the update whose step calls it.
template <class M, class Class, class... Args>
[[gnu::visibility("hidden")]] M& add_mixin(Class& object, Args&&... args) {
  using Owner = detail::PooledOf<Class>;
  Owner& owner = object;
  auto fresh = std::make_unique<detail::HeldValue<M>>([&] { return M(std::forward<Args>(args)...); });
  return detail::value_in<M>(
      detail::add_mixin(detail::mixin_kind<M, Owner>(), std::addressof(owner), std::move(fresh)));
}

/// Whether the class or this very object has the mixin.
template <class M, class Class>
[[gnu::visibility("hidden")]] bool has_mixin(const Class& object) {
  using Owner = detail::PooledOf<Class>;
  detail::OpaqueSideTable* table = detail::find_field(detail::mixin_kind<M, Owner>());
  if (table == nullptr) return false;
  const Owner& owner = object;
  return detail::makes_values(*table) || detail::find_value(*table, std::addressof(owner)) != nullptr;
}

/// The object's M. Throws as Field::of, and not_found where neither the class nor the object has one.
template <class M, class Class>
[[gnu::visibility("hidden")]] M& mixin(Class& object) {
  using Owner = detail::PooledOf<Class>;
  return Field<Owner, M>(detail::require_field(detail::mixin_kind<M, Owner>())).of(object);
}
template <class M, class Class>
[[gnu::visibility("hidden")]] const M& mixin(const Class& object) {
  return mixin<M>(const_cast<Class&>(object));
}

/// A method that was added to Class, by its name and signature: `std::string(int)`, or `std::string(int) const` where
/// it is for constant objects too. A handle, to be copied and kept.
template <class Class, class Signature>
class Method final {
  using Call = detail::MethodCall<Signature>;

 public:
  /// Calls the newest one in force for the object's class: that of the whole object, or of its nearest base which has
  /// one; where the whole object's class is no relation (it was converted), of Class. Safe in any thread. Throws what
  /// the method throws; Error: not_found when none is in force any more.
  template <class... Args>
  typename Call::Result operator()(typename Call::template Object<Class> object, Args&&... args) const {
    const detail::MethodTarget target = detail::target_in(*methods_, typeid(object), typeid(Class));
    void* begin = const_cast<std::remove_const_t<Class>*>(std::addressof(object));
    if constexpr (std::is_polymorphic_v<Class>)
      if (target.is_of_whole) begin = const_cast<void*>(dynamic_cast<const void*>(std::addressof(object)));
    return reinterpret_cast<typename Call::Invoker>(target.invoker)(
        target.function, static_cast<std::byte*>(begin) + target.offset, std::forward<Args>(args)...);
  }

  explicit Method(detail::OpaqueMethodTable& methods) noexcept : methods_(&methods) {}

 private:
  detail::OpaqueMethodTable* methods_;
};

/// Adds a method to any class: a function `R(Class&, Args...)`, or `R(const Class&, Args...)`, for other updates to
/// call by name. Code that was compiled with the class does not know it, as callers name methods when they are
/// compiled; what it calls is replaced by redefine_function. Added again, with the same signature, the newest wins;
/// taken back, the one before it. A class of a hierarchy may have its own.
///
/// Called from a step of an update it belongs to that update. Throws std::bad_alloc. After Pymoult's addMethodToClass.
template <class Function>
void add_method_to_class(std::string_view name, const Function& function) {
  using Parts = detail::MethodParts<detail::Plain<Function>>;
  const typename Parts::Function plain = detail::plain(function);
  detail::add_method(
      {&typeid(typename Parts::Owner), std::string(name), &typeid(std::type_identity<typename Parts::Signature>)},
      reinterpret_cast<detail::Code>(plain), reinterpret_cast<detail::Code>(&Parts::invoke));
}

/// Throws Error (not_found) when no method of that name and signature is in force for Class or a base of it; the
/// message tells those there are.
template <class Class, class Signature>
Method<Class, Signature> method(std::string_view name) {
  return Method<Class, Signature>(
      detail::require_methods({&typeid(Class), std::string(name), &typeid(std::type_identity<Signature>)}));
}

/// method and the call in one: `call_method<std::string(int)>(data, "describe", 3)`.
template <class Signature, class Class, class... Args>
decltype(auto) call_method(Class& object, std::string_view name, Args&&... args) {
  return method<std::remove_const_t<Class>, Signature>(name)(object, std::forward<Args>(args)...);
}

}  // namespace moult
#pragma GCC visibility pop
