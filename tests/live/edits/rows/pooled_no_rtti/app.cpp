#include <cstdio>
#include <cstdlib>

#include "moult/data_access.hpp"

namespace {

class Counter : public moult::Updatable<Counter, 64> {
 public:
  virtual ~Counter() = default;
  virtual int count(int by) { return number_ += by; }

 private:
  int number_ = 0;
};

Counter* counter = nullptr;

}  // namespace

void answer(const char* question, char* reply, unsigned long size) {
  if (counter == nullptr) counter = new Counter;
  std::snprintf(reply, size, "%d", counter->count(std::atoi(question)));
}
