// The pools of each class, by the class's name: the same ones for every module of the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <typeinfo>
#include <vector>

#include "pools/object_class.hpp"
#include "pools/pool.hpp"

namespace moult::internal {

/// The pools of one class that derives from Updatable: one for its own objects, and one for those of its subclasses of
/// each size and alignment.
struct ClassPools {
  ClassPools(const ObjectClass& described, std::uint32_t id, const SlotShape& shape);

  /// `visit(pool)` for every one; the class's own is the first.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Pool* pool = &own; pool != nullptr; pool = pool->next_of_class.load(std::memory_order_acquire))
      visit(*pool);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (Pool* pool = &own; pool != nullptr; pool = pool->next_of_class.load(std::memory_order_acquire)) visit(*pool);
  }

  const ObjectClass& object_class;  ///< that derives from Updatable; what the pools hold now may be of another one
  Pool own;
};

/// The class's own pool, made at its first use. Safe for several threads. Throws Error (unsupported) when the class has
/// another size or alignment elsewhere in the program, std::bad_alloc when its objects are too large for any slab.
Pool& pool_of(const std::type_info& type, const SlotShape& shape);

/// The pool for objects of a subclass that has no pool of its own, beside that of its base class. Throws
/// std::bad_alloc.
Pool& subclass_pool(Pool& own, std::size_t size, std::size_t alignment);

/// Every class that has pools, in the order of their first use.
std::vector<ClassPools*> all_class_pools();

}  // namespace moult::internal
