#pragma once

#include <string>

#include "moult/data_access.hpp"

namespace shop {

inline int made = 7;

class Item : public moult::Updatable<Item, 96> {
 public:
  Item(const char* name, int number) : name_(name), number_(number) {}
  std::string describe() const;
  friend int sum(const Item& item);
  friend void rename(Item& item, const char* name);

 private:
  std::string name_;
  int number_;
};

}  // namespace shop
