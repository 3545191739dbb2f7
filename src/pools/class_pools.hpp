// The pools of each class, by the class's name: every module of the process shares them.
#pragma once

#include <atomic>
#include <cstddef>
#include <typeinfo>
#include <vector>

#include "pools/object_class.hpp"
#include "pools/pool.hpp"

namespace moult::internal {

/// The pools of one class that derives from Updatable: its own, and one for each size and alignment of its subclasses.
struct ClassPools {
  ClassPools(const ObjectClass& described, std::uint32_t id, const SlotShape& shape);

  /// Calls `visit(pool)` for each pool, the class's own first.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Pool* pool = &own; pool != nullptr; pool = pool->next_of_class.load(std::memory_order_acquire))
      visit(*pool);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (Pool* pool = &own; pool != nullptr; pool = pool->next_of_class.load(std::memory_order_acquire)) visit(*pool);
  }

  const ObjectClass& object_class;  ///< derives from Updatable; the objects may be of another class by now
  Pool own;
};

/// The class's own pool, made at first use. Safe in any thread. Throws Error (unsupported) when another module knows
/// the class by another size or alignment; std::bad_alloc, also when the objects fit no slab.
Pool& pool_of(const std::type_info& type, const SlotShape& shape);

/// `later` is a version of a class whose objects have slots of that size. If its own pool is made after this call, its
/// slots are no smaller: objects of the two are one kind to a third version. Throws std::bad_alloc.
void inherit_slot_size(const ObjectClass& later, std::size_t slot_size);

/// The pool for objects of a subclass that has no pool of its own, made at first use. Throws std::bad_alloc.
Pool& subclass_pool(Pool& own, std::size_t size, std::size_t alignment);

/// Every class that has pools, in the order of their first use.
std::vector<ClassPools*> all_class_pools();

}  // namespace moult::internal
