// A class that an edit of the program's sources has changed, and what gives its objects the new layout. Compiled with
// the edited source, from which the command takes the initialisers (diff/class_conversion in moult's own sources).
//
//   using Steps = InPlace<Item, Added<&Item::colour, &Item::moult_begin_0>>;
//   EditedClass{.name = "Item", .type = &typeid(Item), .pool = &typeid(Item), …, .forward = Steps::forward, .backward =
//   Steps::backward}
//
// An object that has grown at its end stays where it is, and its new fields are constructed behind the others. Any
// other change makes an object aside, in a cell that has room for it, and moves what has changed from there.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "moult/detail/abi.hpp"

namespace moult::detail::inline MOULT_ABI_NAMESPACE {

/// What is done to one object. `slot` has it; `cell` and `spare` have room for one of either layout, aligned alike.
/// None but `build` may throw. Null: nothing to do.
struct ObjectSteps {
  /// All that can fail. `at` is the number of the field that is being made. False: that one keeps an address of the
  /// object aside, which is not where the object will be; nothing is built then.
  bool (*build)(std::byte* slot, std::byte* cell, std::size_t& at) = nullptr;
  void (*discard)(std::byte* slot, std::byte* cell) = nullptr;
  void (*exchange)(std::byte* slot, std::byte* cell, std::byte* spare) = nullptr;
  void (*put_back)(std::byte* slot, std::byte* cell, std::byte* spare) = nullptr;
  void (*end_old)(std::byte* slot, std::byte* cell, std::byte* spare) = nullptr;  ///< when nothing is undone any more
};

/// An entry of the table of the edit's file. Layouts are texts: equal ones are the same.
struct EditedClass {
  const char* name = nullptr;
  const std::type_info* type = nullptr;  ///< the program's
  const std::type_info* pool = nullptr;  ///< of the class in whose pools the objects are: itself, or a base
  const char* program_layout = nullptr;  ///< of the program's file
  const char* old_layout = nullptr;      ///< that the steps begin with
  const char* layout = nullptr;          ///< that they lead to
  std::uint64_t old_size = 0;
  std::uint64_t size = 0;
  std::uint64_t alignment = 0;  ///< the greater one
  std::uint64_t is_polymorphic = 0;
  ObjectSteps forward{};
  ObjectSteps backward{};
  const char* no_way_back = nullptr;  ///< why there is no `backward`; null if there is
  const char* fields = nullptr;       ///< "Item::colour,Item::size": those of the steps, by their numbers
};

/// Where a field is in an object of another layout.
template <class T>
T& field_at(std::byte* object, std::size_t offset) noexcept {
  return *std::launder(reinterpret_cast<T*>(object + offset));
}

/// An atomic number, pointer or value: it cannot be moved, but its value can be read while the program is stopped.
template <class T>
concept AtomicField = !std::is_move_constructible_v<T> && requires(const T& from) {
  { from.load() }
  noexcept->std::convertible_to<typename T::value_type>;
  requires std::is_nothrow_constructible_v<T, typename T::value_type>;
};

/// Whether a field can get another place.
template <class T>
inline constexpr bool is_movable_field =
    std::is_nothrow_move_constructible_v<std::remove_cv_t<T>> || AtomicField<std::remove_cv_t<T>>;
template <class T, std::size_t size>
inline constexpr bool is_movable_field<T[size]> = is_movable_field<T>;

/// Whether a field has a number, which may become one of another type.
template <class T>
inline constexpr bool is_number_field = std::is_arithmetic_v<T> || std::is_enum_v<T>;
template <AtomicField T>
inline constexpr bool is_number_field<T> = is_number_field<typename T::value_type>;

/// Whether nothing is done to make or to end it, as for a tag that shares its place with another field.
template <class T>
inline constexpr bool is_nothing =
    std::is_empty_v<T>&& std::is_trivially_destructible_v<T>&& std::is_trivially_default_constructible_v<T>;

template <class T>
void end_field(T& field) noexcept {
  if constexpr (std::is_array_v<T>)
    for (auto& each : field) end_field(each);
  else
    field.~T();
}

/// Constructs `to` from `from`, which is yet to be ended.
template <class T>
void move_field(T& to, T& from) noexcept {
  if constexpr (std::is_array_v<T>) {
    for (std::size_t i = 0; i < std::extent_v<T>; ++i) move_field(to[i], from[i]);
  } else {
    using Value = std::remove_cv_t<T>;
    void* const place = const_cast<void*>(static_cast<const volatile void*>(std::addressof(to)));
    Value& value = const_cast<Value&>(from);
    if constexpr (AtomicField<Value>)
      ::new (place) Value(value.load());
    else if constexpr (is_movable_field<Value>)
      ::new (place) Value(std::move(value));
    else
      __builtin_trap();  // the command refuses such an edit
  }
}

template <class T>
void pass_field(T& to, T& from) noexcept {
  move_field(to, from);
  end_field(from);
}

/// Ends `to`, and makes it of `from`.
template <class T>
void replace_field(T& to, T& from) noexcept {
  end_field(to);
  pass_field(to, from);
}

/// What there is to do about a field: by default nothing. `old` is an object of the old layout.
struct ChangedField {
  template <class Class>
  static void build(Class&, std::byte* /*old*/) {}
  template <class Class>
  static void unbuild(Class&, std::byte* /*old*/) noexcept {}
  /// A new field has the address of another part of the object.
  template <class Class>
  static bool keeps_address(Class&) noexcept {
    return false;
  }
  /// From the object aside to its place.
  template <class Class>
  static void settle(Class& /*place*/, Class& /*aside*/) noexcept {}
  /// Undoes it: what is to live on goes aside, then comes back.
  template <class Class>
  static void take_out(Class& /*place*/, Class& /*aside*/) noexcept {}
  template <class Class>
  static void restore(std::byte* /*place*/, std::byte* /*old*/, Class& /*aside*/) noexcept {}
  static void end_old(std::byte* /*old*/) noexcept {}
  // The same from the new layout to the old one, of which `aside` and `place` are then.
  template <class Class>
  static void build_old(std::byte* /*aside*/, Class&) noexcept {}
  template <class Class>
  static void unbuild_old(std::byte* /*aside*/, Class&) noexcept {}
  static void settle_old(std::byte* /*place*/, std::byte* /*aside*/) noexcept {}
  template <class Class>
  static void end_new(Class&) noexcept {}
};

/// A new field, constructed by the function `begin` of the class.
template <auto member, auto begin>
struct Added : ChangedField {
  template <class Class>
  static void build(Class& made, std::byte*) {
    (made.*begin)();
  }
  template <class Class>
  static bool keeps_address(Class& made) noexcept {
    const auto* const field = reinterpret_cast<const std::byte*>(std::addressof(made.*member));
    const auto object = reinterpret_cast<std::uintptr_t>(std::addressof(made));
    const auto own = reinterpret_cast<std::uintptr_t>(field);
    for (std::size_t i = 0; i + sizeof(std::uintptr_t) <= sizeof(made.*member); i += sizeof(std::uintptr_t)) {
      std::uintptr_t word = 0;
      std::memcpy(&word, field + i, sizeof word);
      if (word - object < sizeof(Class) && word - own >= sizeof(made.*member)) return true;
    }
    return false;
  }
  template <class Class>
  static void unbuild(Class& made, std::byte*) noexcept {
    end_field(made.*member);
  }
  template <class Class>
  static void settle(Class& place, Class& aside) noexcept {
    pass_field(place.*member, aside.*member);
  }
  template <class Class>
  static void take_out(Class& place, Class&) noexcept {
    end_field(place.*member);
  }
  template <class Class>
  static void end_new(Class& object) noexcept {
    end_field(object.*member);
  }
};

/// A new bit-field of an object that grows at its end.
template <auto begin>
struct AddedBits : ChangedField {
  template <class Class>
  static void build(Class& made, std::byte*) {
    (made.*begin)();
  }
};

/// A field that was at `offset`.
template <auto member, class Type, std::size_t offset>
struct Moved : ChangedField {
  static Type& old_in(std::byte* object) noexcept { return field_at<Type>(object, offset); }

  template <class Class>
  static void build(Class& made, std::byte* old) noexcept {
    move_field(made.*member, old_in(old));
  }
  template <class Class>
  static void unbuild(Class& made, std::byte* old) noexcept {
    replace_field(old_in(old), made.*member);
  }
  template <class Class>
  static void settle(Class& place, Class& aside) noexcept {
    pass_field(place.*member, aside.*member);
  }
  template <class Class>
  static void take_out(Class& place, Class& aside) noexcept {
    pass_field(aside.*member, place.*member);
  }
  template <class Class>
  static void restore(std::byte* place, std::byte* old, Class& aside) noexcept {
    std::memcpy(place + offset, old + offset, sizeof(Type));
    replace_field(old_in(place), aside.*member);
  }
  static void end_old(std::byte* old) noexcept { end_field(old_in(old)); }
  template <class Class>
  static void build_old(std::byte* aside, Class& object) noexcept {
    move_field(old_in(aside), object.*member);
  }
  template <class Class>
  static void unbuild_old(std::byte* aside, Class& object) noexcept {
    replace_field(object.*member, old_in(aside));
  }
  static void settle_old(std::byte* place, std::byte* aside) noexcept { pass_field(old_in(place), old_in(aside)); }
  template <class Class>
  static void end_new(Class& object) noexcept {
    end_field(object.*member);
  }
};

/// A number that was of type `Old`, at `offset`; either may be an enumeration or atomic.
template <auto member, class Type, class Old, std::size_t offset>
struct Retyped : ChangedField {
  static Old& old_in(std::byte* object) noexcept { return field_at<Old>(object, offset); }

  template <class Class>
  static void build(Class& made, std::byte* old) noexcept {
    set(made.*member, get(old_in(old)));
  }
  template <class Class>
  static void settle(Class& place, Class& aside) noexcept {
    set(place.*member, get(aside.*member));
  }
  template <class Class>
  static void restore(std::byte* place, std::byte* old, Class&) noexcept {
    std::memcpy(place + offset, old + offset, sizeof(Old));
  }
  template <class Class>
  static void build_old(std::byte* aside, Class& object) noexcept {
    set(old_in(aside), get(object.*member));
  }
  static void settle_old(std::byte* place, std::byte* aside) noexcept { set(old_in(place), get(old_in(aside))); }

 private:
  template <class T>
  static auto get(const T& field) noexcept {
    if constexpr (AtomicField<T>)
      return field.load();
    else
      return field;
  }
  template <class T, class Number>
  static void set(T& field, Number number) noexcept {
    using Value = std::remove_cv_t<T>;
    void* const place = const_cast<void*>(static_cast<const volatile void*>(std::addressof(field)));
    if constexpr (AtomicField<Value>)
      ::new (place) Value(static_cast<typename Value::value_type>(number));
    else if constexpr (is_number_field<Value>)
      ::new (place) Value(static_cast<Value>(number));
  }
};

/// A field that is gone.
template <class Type, std::size_t offset>
struct Removed : ChangedField {
  template <class Class>
  static void restore(std::byte* place, std::byte* old, Class&) noexcept {
    std::memcpy(place + offset, old + offset, sizeof(Type));
  }
  static void end_old(std::byte* old) noexcept { end_field(field_at<Type>(old, offset)); }
};

/// The fields, in the order of their declaration.
template <class Class, class... Fields>
struct FieldsInOrder {
  static Class& object(std::byte* place) noexcept { return *std::launder(reinterpret_cast<Class*>(place)); }

  static void build(Class& made, std::byte* old, std::size_t& at) {
    struct Built {
      ~Built() {
        if (!is_done) unbuild(made, old, at);
      }
      Class& made;
      std::byte* old;
      std::size_t& at;
      bool is_done = false;
    } built{made, old, at};
    at = 0;
    ((Fields::build(made, old), ++at), ...);
    built.is_done = true;
  }
  static void unbuild(Class& made, std::byte* old, std::size_t count = sizeof...(Fields)) noexcept {
    unbuild_some<Fields...>(made, old, count);
  }

 private:
  /// The last of the first `count` fields first.
  template <class... None>
  static void unbuild_some(Class&, std::byte*, std::size_t) noexcept requires(sizeof...(None) == 0) {}
  template <class First, class... Rest>
  static void unbuild_some(Class& made, std::byte* old, std::size_t count) noexcept {
    if (count == 0) return;
    unbuild_some<Rest...>(made, old, count - 1);
    First::unbuild(made, old);
  }
};

/// The steps for a class that has only grown at its end.
template <class Class, class... Fields>
struct InPlace {
  using All = FieldsInOrder<Class, Fields...>;

  static bool build(std::byte* slot, std::byte*, std::size_t& at) {
    All::build(All::object(slot), slot, at);
    return true;
  }
  static void discard(std::byte* slot, std::byte*) noexcept { All::unbuild(All::object(slot), slot); }
  static void end(std::byte* slot, std::byte*, std::byte*) noexcept { All::unbuild(All::object(slot), slot); }

  static constexpr ObjectSteps forward{build, discard, nullptr, end, nullptr};
  static constexpr ObjectSteps backward{nullptr, nullptr, nullptr, nullptr, end};
};

/// The steps for a class that has changed otherwise, from `old_size` bytes. The object aside begins as a copy of the
/// old one's bytes, so that initialisers find the fields that stay where they are.
template <class Class, std::size_t old_size, class... Fields>
struct Aside {
  using All = FieldsInOrder<Class, Fields...>;
  static Class& object(std::byte* place) noexcept { return All::object(place); }

  static bool build(std::byte* slot, std::byte* cell, std::size_t& at) {
    std::memcpy(cell, slot, old_size);
    All::build(object(cell), slot, at);
    at = 0;
    const bool keeps_address = ((Fields::keeps_address(object(cell)) || (++at, false)) || ...);
    if (keeps_address) All::unbuild(object(cell), slot);
    return !keeps_address;
  }
  static void discard(std::byte* slot, std::byte* cell) noexcept { All::unbuild(object(cell), slot); }
  static void exchange(std::byte* slot, std::byte* cell, std::byte* spare) noexcept {
    std::memcpy(spare, slot, old_size);
    (Fields::settle(object(slot), object(cell)), ...);
    std::memcpy(cell, spare, old_size);
  }
  static void put_back(std::byte* slot, std::byte* cell, std::byte* spare) noexcept {
    (Fields::take_out(object(slot), object(spare)), ...);
    (Fields::restore(slot, cell, object(spare)), ...);
  }
  static void end_old(std::byte* slot, std::byte* cell, std::byte* spare) noexcept {
    std::memcpy(spare, slot, sizeof(Class));
    std::memcpy(slot, cell, old_size);
    (Fields::end_old(slot), ...);
    std::memcpy(slot, spare, sizeof(Class));
  }

  static bool build_old(std::byte* slot, std::byte* cell, std::size_t&) noexcept {
    (Fields::build_old(cell, object(slot)), ...);
    return true;
  }
  static void discard_old(std::byte* slot, std::byte* cell) noexcept { (Fields::unbuild_old(cell, object(slot)), ...); }
  static void exchange_old(std::byte* slot, std::byte* cell, std::byte* spare) noexcept {
    std::memcpy(spare, slot, sizeof(Class));
    (Fields::settle_old(slot, cell), ...);
    std::memcpy(cell, spare, sizeof(Class));
  }
  static void end_new(std::byte* slot, std::byte* cell, std::byte* spare) noexcept {
    std::memcpy(spare, slot, old_size);
    std::memcpy(slot, cell, sizeof(Class));
    (Fields::end_new(object(slot)), ...);
    std::memcpy(slot, spare, old_size);
  }

  static constexpr ObjectSteps forward{build, discard, exchange, put_back, end_old};
  static constexpr ObjectSteps backward{build_old, discard_old, exchange_old, nullptr, end_new};
};

}  // namespace moult::detail::inline MOULT_ABI_NAMESPACE
