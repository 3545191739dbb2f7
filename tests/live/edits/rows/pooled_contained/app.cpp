#include <cstdio>
#include <memory>
#include <vector>

#include "moult/data_access.hpp"

namespace {

struct Item : moult::Updatable<Item, 64> {
  int number = 1;
};

struct Shelf {
  std::vector<Item> items;
};

Shelf* shelf = nullptr;
std::shared_ptr<Item> shared;

}  // namespace

void answer(const char*, char* reply, unsigned long size) {
  if (shelf == nullptr) shelf = new Shelf{std::vector<Item>(3)};
  shared = std::make_shared<Item>();
  std::snprintf(reply, size, "%d", shelf->items.back().number + shared->number);
}
