#include "item.hpp"

namespace shop {

std::string Item::describe() const { return name_; }
int sum(const Item& item) { return item.number_ * 10; }
void rename(Item& item, const char* name) { item.name_ = name; }

}  // namespace shop
