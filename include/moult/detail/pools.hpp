// The operators of Updatable: the pool of a class as one module knows it.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>
#include <typeinfo>

#include "moult/detail/opaque.hpp"
#include "moult/detail/type_of.hpp"

#pragma GCC visibility push(default)
namespace moult {

namespace detail::inline MOULT_ABI_NAMESPACE {

struct ObjectShape {
  std::size_t size = 0;
  std::size_t alignment = 0;
  std::size_t reserve = 0;
};

/// The pool of a class's own objects, the same for all modules. Throws Error (unsupported) when the program has objects
/// of the class with another size or alignment; std::bad_alloc.
OpaquePool& pool_of(const std::type_info& type, const ObjectShape& shape);

/// Throws std::bad_alloc.
void* allocate(OpaquePool& pool);
/// For an object of a subclass of the pool's class. `alignment` 0: operator new received none.
void* allocate_subclass(OpaquePool& own, std::size_t size, std::size_t alignment);
void deallocate(void* slot) noexcept;

/// Hidden, so that each module has its own copy: a module that knows the class by another size than the program must
/// ask for itself. The same holds for every template that calls it.
template <class T, std::size_t Reserve>
struct [[gnu::visibility("hidden")]] ModulePool {
  static OpaquePool& get() {
    if (OpaquePool* pool = known.load(std::memory_order_acquire)) [[likely]]
      return *pool;
    OpaquePool& pool = pool_of(type_of<T>(), {sizeof(T), alignof(T), Reserve});
    known.store(&pool, std::memory_order_release);
    return pool;
  }

  static void* allocate(std::size_t size, std::size_t alignment) {
    OpaquePool& own = get();
    bool is_own = size == sizeof(T) && (alignment == 0 || alignment == alignof(T));
    return is_own ? detail::allocate(own) : allocate_subclass(own, size, alignment);
  }

  static void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
    try {
      return allocate(size, alignment);
    } catch (...) {
      return nullptr;
    }
  }

  static inline constinit std::atomic<OpaquePool*> known{nullptr};
};

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
#pragma GCC visibility pop
