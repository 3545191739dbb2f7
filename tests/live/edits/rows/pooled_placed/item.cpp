#include "item.hpp"

namespace shop {

int Item::price() const { return number * 10; }

}  // namespace shop
