#include "item.hpp"
#include <cstdlib>
Item::~Item() {}
int Item::one(int x) { return x + std::abs(x); }
int Item::two(int x) { return x + 7 * std::abs(x); }
Item* make() {
  static Item* p = new Item;
  return p;
}
