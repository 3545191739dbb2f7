// Classes whose live objects can be found and converted: Updatable, DataAccessor.
//
//   class Data : public moult::Updatable<Data> { ... };              // in the program
//   auto data = std::make_unique<Data>();
//
//   for (Data& data : moult::DataAccessor<Data>()) data.refresh();    // in an update's apply
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
/// std::make_unique or moult::allocate_shared lie in the pool, so DataAccessor can find them. An object does not become
/// larger. With `Updatable<Data, 64>` each slot has 64 spare bytes for a later, larger version of the class, and is
/// aligned as memory from malloc is.
///
/// Safe in any thread: one thread may delete an object that another made. `new` throws std::bad_alloc.
///
/// Not in the pool, and not found: objects on the stack, static objects, members of other objects, elements of
/// containers, and objects of std::make_shared and `::new` (delete the latter with `::delete`). `new Data[n]` does not
/// compile.
///
/// A subclass that does not derive from Updatable uses its base's pools, one for each size and alignment. The pools
/// know no more of its objects: an object of the base's own size and alignment counts as a Data. Data must be its first
/// base, and must have virtual functions if the subclass has any; otherwise Data would not begin where the object does.
/// A subclass with a pool of its own derives from Updatable too, and names the operators it uses: `using
/// moult::Updatable<Sub>::operator new; using moult::Updatable<Sub>::operator delete;`
///
/// unsupported: from `new` in an update that knows the class by another size or alignment than the program
///
/// After mimalloc (Leijen, Zorn, de Moura, APLAS 2019) for the pools, and Javelus for the enumeration by class.
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
  progressive,  ///< each at its first access (progressive_access.hpp)
};

/// Whether objects of subclasses are found too.
enum class Subclasses { excluded, included };

struct Enumeration {
  Subclasses subclasses = Subclasses::included;
  /// How long the stop may take until every thread is at a safepoint.
  std::chrono::milliseconds timeout{1000};
};

namespace detail::inline MOULT_ABI_NAMESPACE {

std::vector<void*> live_objects(const OpaquePool& own, const Enumeration& options);

template <class T, std::size_t Reserve>
ModulePool<T, Reserve> module_pool(const Updatable<T, Reserve>* object);

/// T derives from Updatable<T> itself. A subclass that does not is found through its base class.
template <class T>
concept has_own_pool = requires(const T* object) {
  module_pool<T>(object);
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE

/// All live objects of a class, as of one moment: `for (Data& data : moult::DataAccessor<Data>()) ...`. The constructor
/// stops the program, unless an update's step has stopped it.
///
/// It holds addresses. In an update's apply they stay valid, since no other thread runs. Elsewhere the program goes on
/// when the constructor returns: use an element only where the program's own rules guarantee that it still lives.
/// Objects that a thread is just constructing or destroying are included: an update that looks into objects first makes
/// sure that no constructor or destructor is on a stack.
///
/// `T` is the class that derives from Updatable. After Pymoult's DataAccessor, immediate.
///
/// thread_unstoppable: a thread did not reach a safepoint in time
/// unsupported: this module knows the class by another size or alignment than the program
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

/// std::make_shared for classes with a pool: the object lies in the pool, where DataAccessor finds it; the count lies
/// beside it.
template <class T, class... Args>
std::shared_ptr<T> allocate_shared(Args&&... args) {
  return std::shared_ptr<T>(new T(std::forward<Args>(args)...));
}

}  // namespace moult
#pragma GCC visibility pop
