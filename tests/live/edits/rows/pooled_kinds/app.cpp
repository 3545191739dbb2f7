#include <atomic>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "moult/data_access.hpp"

namespace {

int twice(int number) { return 2 * number; }

struct Part {
  int first = 3;
  int second = 4;
};
struct Tag {};
enum Colour { red, green, blue };

class Item : public moult::Updatable<Item, 128> {
 public:
  int number() const { return number_; }
  int sum() const { return number_ + total_.load() + colour_ * 100 + level_ * 1000 + int(weight_) * 10000; }
  void add(int number) {
    number_ += number;
    total_ += number;
  }

  // New fields.
 private:
  [[no_unique_address]] Tag tag_;
  std::atomic<int> total_ = 5;
  int number_ = 7;
  Colour colour_ = blue;
  int level_ = 1;
  double weight_ = 2.5;
};

Item* item = nullptr;

}  // namespace

void answer(const char* question, char* reply, unsigned long size) {
  if (item == nullptr) item = new Item;
  item->add(std::atoi(question));
  std::snprintf(reply, size, "%d and %d", item->sum(), twice(item->number()));
}
