#include <cstdio>
#include <cstdlib>
#include <memory>
#include <memory_resource>
#include <new>

#include "item.hpp"

namespace shop {

alignas(16) std::byte room[64];
std::pmr::polymorphic_allocator<> resource;

Item* by_global_new() { return ::new Item(1); }
Item* in_place() { return new (room) Item(2); }
template <class T>
T* of_an_arena() {
  return ::new (std::malloc(sizeof(T))) T(3);
}
Item* constructed() { return std::construct_at(reinterpret_cast<Item*>(room), 4); }
Item* of_a_resource() { return resource.new_object<Item>(5); }

// These are in the pool, and on the stack.
Item* by_new() { return new Item(6); }
int on_the_stack(int number) { return Item(number).price(); }

}  // namespace shop

void answer(const char*, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d %d %d %d %d %d %d", shop::by_global_new()->price(), shop::in_place()->price(),
                shop::of_an_arena<shop::Item>()->price(), shop::constructed()->price(), shop::of_a_resource()->price(),
                shop::by_new()->price(), shop::on_the_stack(7));
}
