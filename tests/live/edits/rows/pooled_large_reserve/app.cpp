#include "item.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {
shop::Item* items[100];
int count = 0;
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
  for (int i = 0; i < count; ++i) total += sum(*items[i]);
  std::snprintf(reply, size, "%d items, %d, first %s", count, total, count > 0 ? items[0]->describe().c_str() : "none");
}
