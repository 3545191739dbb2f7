// Problem: an update is a shared object with its own copy of every template instance. Its `new Data`, and its
// enumeration of Data, must reach the pool of the program's objects.
//
// Approach: pools are registered by the class's mangled name, which makes types equal across modules. Each module keeps
// a pointer to the pool for each size by which it knows the class (moult/detail/pools.hpp), so it looks the name up
// once. A second version of a class has objects in the pool of the first, and a pool of its own for those that updates
// make. A third must fit both, so the second's own slots are as large, whatever reserve its author wrote.
//
// Limits: a module that knows the class by another size or alignment is refused. It would read the objects wrongly.
#include "pools/class_pools.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <unordered_map>

#include "base/guarded.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

/// Never destroyed: objects with static storage duration use pools.
struct Registry {
  std::vector<std::unique_ptr<ClassPools>> entries;
  std::unordered_map<const ObjectClass*, std::size_t> inherited;  ///< slot sizes, of classes without pools
  std::uint32_t next_id = 0;
};

Guarded<Registry>& registry() {
  static Guarded<Registry>& made = *new Guarded<Registry>;
  return made;
}

std::string words_of(const SlotShape& shape) {
  return std::to_string(shape.object_size) + " bytes aligned to " + std::to_string(shape.alignment);
}

/// True if an edit has given the class this layout.
bool is_edited_shape(const ClassPools& known, const SlotShape& shape) {
  return known.own.contents().usual == &known.object_class &&
         known.own.object_size() != known.own.shape().object_size && known.own.object_size() == shape.object_size &&
         known.own.cut().slot_size % shape.alignment == 0;
}

void refuse_other_shape(const ClassPools& known, const SlotShape& shape) {
  const SlotShape& expected = known.own.shape();
  if (expected.object_size == shape.object_size && expected.alignment == shape.alignment) return;
  if (is_edited_shape(known, shape)) return;
  throw Error(ErrorCode::unsupported, known.object_class.name.text() + ": its objects in this program are " +
                                          words_of(expected) + ", and " + words_of(shape) +
                                          " where this was compiled; give the changed class another name");
}

ClassPools& find_or_add(Registry& registry, const ObjectClass& wanted, SlotShape shape) {
  for (const std::unique_ptr<ClassPools>& each : registry.entries)
    if (&each->object_class == &wanted) return *each;
  const auto inherited = registry.inherited.find(&wanted);
  if (inherited != registry.inherited.end() && inherited->second > shape.slot_size())
    shape.reserve = inherited->second - shape.object_size;
  if (shape.slot_size() == 0) throw std::bad_alloc();
  registry.entries.push_back(std::make_unique<ClassPools>(wanted, registry.next_id, shape));
  ++registry.next_id;
  return *registry.entries.back();
}

Pool* find_subclass_pool(const Pool& own, const SlotShape& shape) noexcept {
  Pool* pool = own.next_of_class.load(std::memory_order_acquire);
  while (pool != nullptr &&
         (pool->shape().object_size != shape.object_size || pool->shape().alignment != shape.alignment))
    pool = pool->next_of_class.load(std::memory_order_acquire);
  return pool;
}

Pool& add_subclass_pool(Registry& registry, Pool& own, const SlotShape& shape) {
  if (Pool* pool = find_subclass_pool(own, shape)) return *pool;
  if (shape.slot_size() == 0) throw std::bad_alloc();
  std::unique_ptr<Pool> made =
      std::make_unique<Pool>(own.object_class(), Pool::For::subclasses, registry.next_id, shape);
  ++registry.next_id;
  Pool* last = &own;
  while (Pool* next = last->next_of_class.load(std::memory_order_relaxed)) last = next;
  last->next_of_class.store(made.get(), std::memory_order_release);
  return *made.release();
}

}  // namespace

ClassPools::ClassPools(const ObjectClass& described, std::uint32_t id, const SlotShape& shape)
    : object_class(described), own(described, Pool::For::the_class, id, shape) {}

Pool& pool_of(const std::type_info& type, const SlotShape& shape) {
  const ObjectClass& wanted = object_class_of(type);
  ClassPools& known = registry().with([&](Registry& all) -> ClassPools& { return find_or_add(all, wanted, shape); });
  refuse_other_shape(known, shape);
  return known.own;
}

void inherit_slot_size(const ObjectClass& later, std::size_t slot_size) {
  registry().with([&](Registry& all) {
    std::size_t& known = all.inherited[&later];
    known = std::max(known, slot_size);
  });
}

Pool& subclass_pool(Pool& own, std::size_t size, std::size_t alignment) {
  SlotShape shape{size, std::max(alignment, own.shape().alignment), own.shape().reserve};
  if (Pool* pool = find_subclass_pool(own, shape)) return *pool;
  return registry().with([&](Registry& all) -> Pool& { return add_subclass_pool(all, own, shape); });
}

std::vector<ClassPools*> all_class_pools() {
  return registry().with([](const Registry& all) {
    std::vector<ClassPools*> list;
    for (const std::unique_ptr<ClassPools>& entry : all.entries) list.push_back(entry.get());
    return list;
  });
}

}  // namespace moult::internal
