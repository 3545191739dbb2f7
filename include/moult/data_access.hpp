// Classes whose live objects can be found, and changed later: Updatable, DataAccessor.
#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "moult/detail/opaque.hpp"
#include "moult/detail/pools.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Gives a class a typed pool: `class Data : public moult::Updatable<Data>`. Objects made by `new Data`,
/// std::make_unique or moult::allocate_shared lie in it, so all that live can be found (DataAccessor). An object does
/// not become larger. With `Updatable<Data, 64>` each slot has 64 bytes more, for a later version of the class to grow
/// into, and is aligned as memory from malloc is.
///
/// Safe in any thread: an object may be deleted in another than it was made in. `new` throws std::bad_alloc; in an
/// update, Error (unsupported) where the update knows the class by another size or alignment than the program.
///
/// Not in the pool, and not found: objects on the stack, static ones, members of others, elements of containers, those
/// of std::make_shared and of `::new` (to be deleted by `::delete`). `new Data[n]` does not compile.
///
/// A subclass that does not derive from Updatable itself uses its base's pools, one for each size and alignment. Of its
/// objects no more is known than that: one of the base's own size and alignment counts as a Data. Data must be its
/// first base, and have virtual functions if the subclass has any, lest Data be at another place than the object's
/// beginning. A subclass that wants a pool of its own derives from Updatable too and says whose operators it uses:
/// `using moult::Updatable<Sub>::operator new; using moult::Updatable<Sub>::operator delete;`
///
/// After mimalloc (Leijen, Zorn, de Moura, APLAS 2019) for the pools, Javelus for enumerating by class.
template <class T, std::size_t Reserve = 0>
class Updatable {
 public:
  [[gnu::visibility("hidden")]] static void* operator new(std::size_t size) { return Module::allocate(size, 0); }
  [[gnu::visibility("hidden")]] static void* operator new(std::size_t size, std::align_val_t alignment) {
    return Module::allocate(size, static_cast<std::size_t>(alignment));
  }
  [[gnu::visibility("hidden")]] static void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return Module::allocate_or_null(size, 0);
  }
  [[gnu::visibility("hidden")]] static void* operator new(std::size_t size, std::align_val_t alignment,
                                                          const std::nothrow_t&) noexcept {
    return Module::allocate_or_null(size, static_cast<std::size_t>(alignment));
  }
  static void* operator new(std::size_t, void* place) noexcept { return place; }
  static void* operator new[](std::size_t) = delete;

  static void operator delete(void* slot) noexcept { detail::deallocate(slot); }
  static void operator delete(void* slot, std::size_t) noexcept { detail::deallocate(slot); }
  static void operator delete(void* slot, std::align_val_t) noexcept { detail::deallocate(slot); }
  static void operator delete(void* slot, std::size_t, std::align_val_t) noexcept { detail::deallocate(slot); }
  static void operator delete(void* slot, const std::nothrow_t&) noexcept { detail::deallocate(slot); }
  static void operator delete(void* slot, std::align_val_t, const std::nothrow_t&) noexcept {
    detail::deallocate(slot);
  }
  static void operator delete(void*, void*) noexcept {}
  static void operator delete[](void*) = delete;

 private:
  using Module = detail::ModulePool<T, Reserve>;
};

/// When a DataAccessor yields an object.
enum class Access {
  immediate,    ///< all objects at once
  progressive,  ///< each when it is first accessed (progressive_access.hpp)
};

/// Whether the objects of subclasses are found too.
enum class Subclasses { excluded, included };

struct Enumeration {
  Subclasses subclasses = Subclasses::included;
  /// How long the stop may take to find every thread at a safe place.
  std::chrono::milliseconds timeout{1000};
};

namespace detail::inline MOULT_ABI_NAMESPACE {

std::vector<void*> live_objects(const OpaquePool& own, const Enumeration& options);

template <class T, std::size_t Reserve>
ModulePool<T, Reserve> module_pool(const Updatable<T, Reserve>* object);

/// T derives from Updatable<T> itself: a subclass that does not is found by way of its base class.
template <class T>
concept has_own_pool = requires(const T* object) {
  module_pool<T>(object);
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// All objects of a class that live, as of one moment: `for (Data& data : moult::DataAccessor<Data>()) …`. The
/// constructor stops the program for it, unless an update's step has it stopped already.
///
/// What it holds are addresses. In an update's apply they stay good, as nobody else runs. Elsewhere the program goes on
/// when the constructor returns: objects may die and others be born, and an element is to be used only where the
/// program's own rules say that it still lives. Objects whose constructor or destructor some thread was in are among
/// them: an update that looks into objects makes sure that none of these is on a stack.
///
/// `T` is the class that derives from Updatable. Throws Error: thread_unstoppable; unsupported where this module knows
/// the class by another size or alignment than the program. After Pymoult's DataAccessor, immediate.
template <detail::has_own_pool T, Access access = Access::immediate>
class DataAccessor final {
 public:
  class Iterator final {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    Iterator() = default;
    T& operator*() const noexcept { return *static_cast<T*>(*at_); }
    T* operator->() const noexcept { return static_cast<T*>(*at_); }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    Iterator operator++(int) noexcept { return Iterator(at_++); }
    bool operator==(const Iterator&) const = default;

   private:
    friend DataAccessor;
    explicit Iterator(void* const* at) noexcept : at_(at) {}
    void* const* at_ = nullptr;
  };

  [[gnu::visibility("hidden")]] explicit DataAccessor(const Enumeration& options = {})
      : objects_(detail::live_objects(ModulePool::get(), options)) {}

  Iterator begin() const noexcept { return Iterator(objects_.data()); }
  Iterator end() const noexcept { return Iterator(objects_.data() + objects_.size()); }
  std::size_t size() const noexcept { return objects_.size(); }
  bool empty() const noexcept { return objects_.empty(); }

 private:
  using ModulePool = decltype(detail::module_pool<T>(static_cast<const T*>(nullptr)));
  std::vector<void*> objects_;
};

/// Defined in moult/progressive_access.hpp.
template <detail::has_own_pool T>
class DataAccessor<T, Access::progressive>;

/// std::make_shared for classes with a pool: the object lies in the pool, where it is found, and the count beside it.
template <class T, class... Args>
std::shared_ptr<T> allocate_shared(Args&&... args) {
  return std::shared_ptr<T>(new T(std::forward<Args>(args)...));
}

}  // namespace moult
#pragma GCC visibility pop
