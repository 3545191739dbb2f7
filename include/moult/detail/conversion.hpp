// The part of a conversion that must know both classes: what it does to the objects themselves.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "moult/detail/abi.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {
namespace detail::inline MOULT_ABI_NAMESPACE {

/// Up to 64 neighbouring slots, some with objects to convert, and a cell in the staging area for each such object. A
/// cell has room for an object of either class.
struct ObjectBatch {
  std::byte* slots = nullptr;
  std::size_t slot_size = 0;
  std::uint64_t bits = 0;  ///< the slots of the batch
  std::byte* cells = nullptr;
  std::size_t cell_size = 0;

  /// Calls `act(slot, cell)` for each object.
  template <class Act>
  void for_each(Act&& act) const {
    std::byte* cell = cells;
    for (std::uint64_t left = bits; left != 0; left &= left - 1, cell += cell_size)
      act(slots + static_cast<std::size_t>(std::countr_zero(left)) * slot_size, cell);
  }
};

/// A class of objects as the pools see it, which do not know the type.
struct ObjectKind {
  const std::type_info* type = nullptr;
  std::size_t size = 0;
  std::size_t alignment = 0;
  bool has_vtable = false;
};

/// Converts objects batch by batch. A batch goes through build and exchange, or through convert_in_place alone; then
/// put_back undoes it, or end_olds completes it for good.
class ObjectConverter {
 public:
  ObjectConverter() = default;
  virtual ~ObjectConverter() = default;
  ObjectConverter(const ObjectConverter&) = delete;
  ObjectConverter& operator=(const ObjectConverter&) = delete;

  virtual ObjectKind old_kind() const noexcept = 0;
  virtual ObjectKind new_kind() const noexcept = 0;
  /// True when no operation on an object can fail; then convert_in_place is used.
  virtual bool is_in_place() const noexcept = 0;
  /// True when the destructor of the old class does something.
  virtual bool ends_olds() const noexcept = 0;

  /// The bits of the objects that are of the old class itself, not of a subclass.
  virtual std::uint64_t select(const ObjectBatch& batch) const noexcept = 0;
  /// Makes the new objects in the cells. When the transformer throws, destroys those it made and passes the exception
  /// on.
  virtual void build(const ObjectBatch& batch) = 0;
  /// Destroys the objects that build made.
  virtual void discard(const ObjectBatch& batch) noexcept = 0;
  /// Moves the new objects into the slots, and the bytes of the old ones into the cells. `scratch` has room for one
  /// object.
  virtual void exchange(const ObjectBatch& batch, std::byte* scratch) noexcept = 0;
  /// build and exchange in one, if is_in_place.
  virtual void convert_in_place(const ObjectBatch& batch) noexcept = 0;
  /// Destroys the new objects, and restores the bytes of the old ones.
  virtual void put_back(const ObjectBatch& batch) noexcept = 0;
  /// Runs the destructors of the old objects, each for a moment in its own slot: it may point into itself.
  virtual void end_olds(const ObjectBatch& batch, std::byte* scratch) noexcept = 0;

  /// The function that end_olds calls to destroy an old object, when calls of its destructor are redirected; null: the
  /// destructor. Before the first batch.
  void destroy_olds_by(void (*destructor)(void* object)) noexcept { old_destructor_ = destructor; }

  /// The library's record of the code that this object calls.
  std::shared_ptr<const void> record{};

 protected:
  void (*old_destructor_)(void* object) = nullptr;
};

template <class Transformer, class Old, class New>
concept returning_transformer = std::is_invocable_r_v<New, Transformer&, const Old&>;
template <class Transformer, class Old, class New>
concept filling_transformer =
    !returning_transformer<Transformer, Old, New> && std::is_invocable_v<Transformer&, const Old&, New&> &&
    std::is_default_constructible_v<New>;
template <class Transformer, class Old, class New>
concept transformer_of = returning_transformer<Transformer, Old, New> || filling_transformer<Transformer, Old, New>;

template <class Old, class New, class Transformer>
class TypedConverter final : public ObjectConverter {
  static_assert(!std::is_same_v<Old, New>, "objects are converted to another class");
  static_assert(std::is_nothrow_destructible_v<Old> && std::is_nothrow_destructible_v<New>,
                "the destructors of both classes must be noexcept");

  static constexpr bool returns = returning_transformer<Transformer, Old, New>;
  static constexpr bool cannot_fail = returns ? std::is_nothrow_invocable_r_v<New, Transformer&, const Old&>
                                              : std::is_nothrow_invocable_v<Transformer&, const Old&, New&> &&
                                                    std::is_nothrow_default_constructible_v<New>;
  /// A new object lies on the stack for a moment.
  static constexpr std::size_t most_on_stack = 4096;

 public:
  explicit TypedConverter(Transformer transformer) : transformer_(std::move(transformer)) {}

  ObjectKind old_kind() const noexcept override {
    return {&type_of<Old>(), sizeof(Old), alignof(Old), std::is_polymorphic_v<Old>};
  }
  ObjectKind new_kind() const noexcept override {
    return {&type_of<New>(), sizeof(New), alignof(New), std::is_polymorphic_v<New>};
  }
  bool is_in_place() const noexcept override {
    return cannot_fail && std::is_trivially_destructible_v<Old> && sizeof(New) <= most_on_stack;
  }
  bool ends_olds() const noexcept override { return !std::is_trivially_destructible_v<Old>; }

  std::uint64_t select(const ObjectBatch& batch) const noexcept override {
    static_assert(
        has_rtti || !std::is_polymorphic_v<Old>,
        "objects of a class with virtual functions are told from those of its subclasses by RTTI: compile the "
        "program and the update without -fno-rtti");
    if constexpr (!std::is_polymorphic_v<Old>) return batch.bits;
    std::uint64_t selected = 0;
    for (std::uint64_t left = batch.bits; left != 0; left &= left - 1) {
      const Old& object = old_at(batch.slots + static_cast<std::size_t>(std::countr_zero(left)) * batch.slot_size);
      if (type_of_whole(object) == type_of<Old>()) selected |= left & -left;
    }
    return selected;
  }

  void build(const ObjectBatch& batch) override {
    Built built{batch.cells, batch.cells, batch.cell_size};  // so far
    batch.for_each([&](std::byte* slot, std::byte* cell) {
      ::new (static_cast<void*>(cell)) New(make(old_at(slot)));
      built.end = cell + batch.cell_size;
    });
    built.end = built.begin;
  }

  void discard(const ObjectBatch& batch) noexcept override {
    batch.for_each([](std::byte*, std::byte* cell) { end(new_at(cell)); });
  }

  void exchange(const ObjectBatch& batch, std::byte* scratch) noexcept override {
    batch.for_each([scratch](std::byte* slot, std::byte* cell) {
      std::memcpy(scratch, slot, sizeof(Old));
      New& made = new_at(cell);
      ::new (static_cast<void*>(slot)) New(std::move(made));
      end(made);
      std::memcpy(cell, scratch, sizeof(Old));
    });
  }

  void convert_in_place([[maybe_unused]] const ObjectBatch& batch) noexcept override {
    if constexpr (cannot_fail && sizeof(New) <= most_on_stack)
      batch.for_each([this](std::byte* slot, std::byte* cell) {
        New made(make(old_at(slot)));
        std::memcpy(cell, slot, sizeof(Old));
        ::new (static_cast<void*>(slot)) New(std::move(made));
      });
  }

  void put_back(const ObjectBatch& batch) noexcept override {
    batch.for_each([](std::byte* slot, std::byte* cell) {
      end(new_at(slot));
      std::memcpy(slot, cell, sizeof(Old));
    });
  }

  void end_olds(const ObjectBatch& batch, std::byte* scratch) noexcept override {
    if constexpr (!std::is_trivially_destructible_v<Old>)
      batch.for_each([this, scratch](std::byte* slot, std::byte* cell) {
        std::memcpy(scratch, slot, sizeof(Old));
        std::memcpy(slot, cell, sizeof(Old));
        old_destructor_ != nullptr ? old_destructor_(slot) : end(*std::launder(reinterpret_cast<Old*>(slot)));
        std::memcpy(slot, scratch, sizeof(Old));
      });
  }

 private:
  struct Built {
    ~Built() {
      for (std::byte* each = begin; each != end; each += size) TypedConverter::end(new_at(each));
    }
    std::byte* begin;
    std::byte* end;
    std::size_t size;
  };

  static const Old& old_at(const std::byte* slot) noexcept { return *std::launder(reinterpret_cast<const Old*>(slot)); }
  static New& new_at(std::byte* place) noexcept { return *std::launder(reinterpret_cast<New*>(place)); }
  /// The class's own destructor, not a virtual call.
  template <class T>
  static void end(T& object) noexcept {
    object.T::~T();
  }

  New make(const Old& old) noexcept(cannot_fail) {
    if constexpr (returns) {
      return std::invoke(transformer_, old);
    } else {
      New made{};
      std::invoke(transformer_, old, made);
      return made;
    }
  }

  [[no_unique_address]] Transformer transformer_;
};

/// Notes the functions whose addresses are in the object's memory: its vtable's, and the transformer.
void record_converter(ObjectConverter& converter, std::size_t size);

/// The count of owners knows the interface only: its code names neither class.
template <class Old, class New, class Transformer>
std::shared_ptr<ObjectConverter> make_converter(Transformer&& transformer) {
  static_assert(
      std::is_nothrow_move_constructible_v<New>,
      "the new class needs a move constructor that is noexcept, since new objects are made beside the old ones "
      "and then moved into their places; add the line: New(New&&) noexcept = default;");
  if constexpr (!std::is_nothrow_move_constructible_v<New>) {
    return nullptr;
  } else {
    using Made = TypedConverter<Old, New, std::decay_t<Transformer>>;
    std::unique_ptr<ObjectConverter> made = std::make_unique<Made>(std::forward<Transformer>(transformer));
    record_converter(*made, sizeof(Made));
    return made;
  }
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
