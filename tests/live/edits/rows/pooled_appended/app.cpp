#include "item.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace {
shop::Item* items[100];
int count = 0;

// What is made in memory of the program's own, but for items, does not matter.
struct Label {
  static void* operator new(std::size_t size) { return std::malloc(size); }
  static void operator delete(void* label) { std::free(label); }
  int number = 1;
};
int label_of(int number) {
  alignas(8) char room[8];
  const std::unique_ptr<Label> first(new Label), second(::new (std::malloc(sizeof(Label))) Label{number});
  return *::new (room) int(first->number * second->number);
}
}

namespace shop {
int sum(const Item& item);
void rename(Item& item, const char* name);
}

void answer(const char* question, char* reply, unsigned long size) {
  if (std::strncmp(question, "add ", 4) == 0) items[count++] = new shop::Item(question + 4, count);
  if (std::strncmp(question, "name ", 5) == 0) rename(*items[0], question + 5);
  if (std::strcmp(question, "drop") == 0) delete items[--count];
  int total = 0;
  for (int i = 0; i < count; ++i) total += label_of(sum(*items[i]));
  std::snprintf(reply, size, "%d items, %d, first %s", count, total, count > 0 ? items[0]->describe().c_str() : "none");
}
