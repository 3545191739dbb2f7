#include <cstdio>
#include <string>

#include "moult/data_access.hpp"

namespace {

class Item : public moult::Updatable<Item, 64> {
 public:
  unsigned long size() const { return name_.size(); }

 private:
  std::string name_ = "a name that is too long for a short string";
};

Item* item = nullptr;

}  // namespace

void answer(const char*, char* reply, unsigned long size) {
  if (item == nullptr) item = new Item;
  std::snprintf(reply, size, "%lu", item->size());
}
