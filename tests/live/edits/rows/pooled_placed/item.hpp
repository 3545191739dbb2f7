#pragma once

#include "moult/data_access.hpp"

namespace shop {

struct Item : moult::Updatable<Item, 96> {
  explicit Item(int n) : number(n) {}
  int price() const;
  int number;
};

}  // namespace shop
