#include <cstdio>
#include <cstdlib>

#include "moult/data_access.hpp"

namespace shop {

struct Item : moult::Updatable<Item, 96> {
  static void* operator new(std::size_t size) { return std::malloc(size); }
  static void operator delete(void* item) { std::free(item); }
  int number = 1;
};

}  // namespace shop

void answer(const char*, char* reply, unsigned long size) {
  static const shop::Item* const item = new shop::Item;
  std::snprintf(reply, size, "%d", item->number);
}
