// Fields, mixins and methods that an update adds beside a class. Objects keep their layout, and code compiled with the
// class stays valid.
//
//   auto owner = moult::add_field_to_class<app::Data, std::string>("owner");   // in apply
//   owner.of(data) = "root";                                                   // anywhere, in any thread
//   moult::field<app::Data, std::string>("owner").of(data);                    // in a later update
//
//   struct Counted { int uses = 0; };
//   moult::add_mixin_to_class<Counted, app::Data>();
//   ++moult::mixin<Counted>(data).uses;
//
//   std::string describe(app::Data& data, int width);
//   moult::add_method_to_class("describe", describe);
//   moult::call_method<std::string(int)>(data, "describe", 3);
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
#include "moult/detail/type_of.hpp"
#include "moult/error.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// A field of type T that was added to Class: one value for each object, in a side table. A handle: copy it and keep
/// it, since finding it by name takes longer than using it.
///
/// Every call is safe in any thread, also while other threads make, use and delete objects. The caller keeps the object
/// alive meanwhile, as for any use of it, and protects the value as it protects the object's own fields. The value
/// stays at its address until the object dies, whatever class the object is converted to.
template <detail::has_own_pool Class, class T>
class Field final {
  static_assert(std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T>,
                "a field's type is that of a variable");
  static_assert(std::is_nothrow_destructible_v<T>, "values die where objects are deleted, which must not throw");

 public:
  /// The object's value; makes it if the object has none. Two threads that make it at once both run the initialiser,
  /// and one of the two values is dropped. Passes on what the initialiser throws; also throws std::bad_alloc.
  ///
  /// not_found: the field's values are given (Values::given), and this object has none
  /// unsupported: the object is in no pool
  T& of(Class& object) const { return detail::value_in<T>(detail::value_of(*table_, std::addressof(object))); }
  const T& of(const Class& object) const { return of(const_cast<Class&>(object)); }

  /// Null when the object has no value yet.
  T* find(Class& object) const noexcept {
    detail::SideValue* found = detail::find_value(*table_, std::addressof(object));
    return found == nullptr ? nullptr : &detail::value_in<T>(*found);
  }
  const T* find(const Class& object) const noexcept { return find(const_cast<Class&>(object)); }

  /// Makes the object's value from `args`. Passes on what the constructor throws; also throws std::bad_alloc.
  ///
  /// invalid_argument: the object already has a value
  /// unsupported: the object is in no pool
  template <class... Args>
  T& give(Class& object, Args&&... args) const {
    auto value = std::make_unique<detail::HeldValue<T>>([&] { return T(std::forward<Args>(args)...); });
    return detail::value_in<T>(detail::give_value(*table_, std::addressof(object), std::move(value)));
  }

  /// False when only objects that were given a value have one.
  bool is_of_every_object() const noexcept { return detail::makes_values(*table_); }

  explicit Field(detail::OpaqueSideTable& table) noexcept : table_(&table) {}

 private:
  detail::OpaqueSideTable* table_;
};

/// When an object gets its value.
enum class Values {
  at_first_use,  ///< made at the first use of Field::of
  at_once,       ///< for all live objects, in a stop; for later objects at first use
  given,         ///< only by Field::give; other objects have none
};

template <class Class, class T>
struct FieldOptions {
  Values values = Values::at_first_use;
  /// Makes a value. Without it: T(object) if T has such a constructor, else T(). Not with Values::given.
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

/// Adds a field to a class whose objects have no room for it or stay unconverted. Any update finds it again by class
/// and name. A value is destroyed after its object, in the thread that deletes the object; all values are destroyed
/// when the field is removed. A class without a pool does not compile: nothing would report the death of its objects.
///
/// Called from a step of an update, the field belongs to that update: undone and rolled back with it. A rollback is
/// refused (still_active) while a thread is inside code of an update that has asked for the field, since that code may
/// hold a reference to a value. Values that code keeps by address for longer are its own concern. Handles stay valid
/// after the removal; they then make new values, which the program cannot find by the field's name.
///
/// With Values::at_once the program is stopped unless it is, with no function of the class active; `initial` must not
/// make or delete objects of the class. The debug information is read, which takes seconds for a big program. A pool
/// whose objects have values deletes them more slowly; other pools are not affected. Passes on what `initial` throws,
/// having added nothing; also throws std::bad_alloc.
///
/// invalid_argument: the class has a field of that name
/// still_active: with Values::at_once, a function of the class is active
///
/// After Pymoult's addFieldToClass. The table is the shadow data of DynamOS (Makris and Ryu, EuroSys 2007) and Ksplice.
template <detail::has_own_pool Class, class T>
[[gnu::visibility("hidden")]] Field<Class, T> add_field_to_class(std::string_view name,
                                                                 const FieldOptions<Class, T>& options = {}) {
  const detail::OpaquePool* live = options.values == Values::at_once ? &detail::own_pool<Class>() : nullptr;
  return Field<Class, T>(detail::add_field(detail::field_kind<Class, T>(name), detail::make_value(options), live));
}

/// The field of that name.
///
/// not_found: the class has no such field
/// invalid_argument: the field has another type; the message names both
template <detail::has_own_pool Class, class T>
[[gnu::visibility("hidden")]] Field<Class, T> field(std::string_view name) {
  return Field<Class, T>(detail::require_field(detail::field_kind<Class, T>(name)));
}

// Mixins: a class that is added to another class, or to one object, as a whole. Its fields and methods are those of M;
// the side table's field is named after M's type. An M with a constructor M(Class&) receives its object. After Flavors
// (Moon, OOPSLA 1986) and Pymoult.

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
  kind.name = name_of_type(detail::type_of<M>());
  return kind;
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// From now on every object of the class has an M. Rules and errors as add_field_to_class.
template <class M, detail::has_own_pool Class>
[[gnu::visibility("hidden")]] Field<Class, M> add_mixin_to_class(const FieldOptions<Class, M>& options = {}) {
  return add_field_to_class<Class, M>(detail::name_of_type(detail::type_of<M>()), options);
}

/// Gives this object an M, made from `args`. Errors as Field::give. Undone with the update whose step calls it.
template <class M, class Class, class... Args>
[[gnu::visibility("hidden")]] M& add_mixin(Class& object, Args&&... args) {
  using Owner = detail::PooledOf<Class>;
  Owner& owner = object;
  auto value = std::make_unique<detail::HeldValue<M>>([&] { return M(std::forward<Args>(args)...); });
  return detail::value_in<M>(
      detail::add_mixin(detail::mixin_kind<M, Owner>(), std::addressof(owner), std::move(value)));
}

/// True when the class or this object has the mixin.
template <class M, class Class>
[[gnu::visibility("hidden")]] bool has_mixin(const Class& object) {
  using Owner = detail::PooledOf<Class>;
  detail::OpaqueSideTable* table = detail::find_field(detail::mixin_kind<M, Owner>());
  if (table == nullptr) return false;
  const Owner& owner = object;
  return detail::makes_values(*table) || detail::find_value(*table, std::addressof(owner)) != nullptr;
}

/// The object's M. Errors as Field::of, and not_found when neither the class nor the object has the mixin.
template <class M, class Class>
[[gnu::visibility("hidden")]] M& mixin(Class& object) {
  using Owner = detail::PooledOf<Class>;
  return Field<Owner, M>(detail::require_field(detail::mixin_kind<M, Owner>())).of(object);
}
template <class M, class Class>
[[gnu::visibility("hidden")]] const M& mixin(const Class& object) {
  return mixin<M>(const_cast<Class&>(object));
}

/// A method that was added to Class, known by its name and signature: `std::string(int)`, or `std::string(int) const`
/// for constant objects too. A handle: copy it and keep it.
template <class Class, class Signature>
class Method final {
  using Call = detail::MethodCall<Signature>;

 public:
  /// Calls the newest active method for the object's class: the method of the whole object's class, or of its nearest
  /// base that has one. If the whole object's class is unrelated to Class (after a conversion), calls the method of
  /// Class. Safe in any thread. Passes on what the method throws.
  ///
  /// not_found: no such method is active any more
  template <class... Args>
  typename Call::Result operator()(typename Call::template Object<Class> object, Args&&... args) const {
    static_assert(
        detail::has_rtti || !std::is_polymorphic_v<Class>,
        "the method for an object with virtual functions is chosen by RTTI: compile the program and the update "
        "without -fno-rtti");
    const detail::MethodTarget target =
        detail::target_in(*methods_, detail::type_of_whole(object), detail::type_of<Class>());
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

/// Adds a method to any class: a function `R(Class&, Args...)` or `R(const Class&, Args...)`, for other updates to call
/// by name. Code that was compiled with the class cannot call it: callers name methods when they are compiled. Replace
/// the functions that such code calls with redefine_function. If a method of the same signature exists, the newest is
/// active; rolled back, the one before it. A class of a hierarchy may have its own.
///
/// Called from a step of an update, the method belongs to that update. Throws std::bad_alloc. After Pymoult's
/// addMethodToClass.
template <class Function>
void add_method_to_class(std::string_view name, const Function& function) {
  using Parts = detail::MethodParts<detail::Plain<Function>>;
  const typename Parts::Function plain = detail::plain(function);
  detail::add_method({&detail::type_of<typename Parts::Owner>(), std::string(name),
                      &detail::type_of<std::type_identity<typename Parts::Signature>>()},
                     reinterpret_cast<detail::Code>(plain), reinterpret_cast<detail::Code>(&Parts::invoke));
}

/// The method of that name and signature, for Class or a base of it.
///
/// not_found: no such method is active; the message lists the active ones
template <class Class, class Signature>
Method<Class, Signature> method(std::string_view name) {
  return Method<Class, Signature>(detail::require_methods(
      {&detail::type_of<Class>(), std::string(name), &detail::type_of<std::type_identity<Signature>>()}));
}

/// method and the call in one: `call_method<std::string(int)>(data, "describe", 3)`.
template <class Signature, class Class, class... Args>
decltype(auto) call_method(Class& object, std::string_view name, Args&&... args) {
  return method<std::remove_const_t<Class>, Signature>(name)(object, std::forward<Args>(args)...);
}

}  // namespace moult
#pragma GCC visibility pop
