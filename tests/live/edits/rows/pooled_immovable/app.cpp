#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "moult/data_access.hpp"

namespace {

class Counter : public moult::Updatable<Counter, 64> {
 public:
  int count(int by) {
    const std::scoped_lock lock(mutex_);
    return number_ += by;
  }

 private:
  std::mutex mutex_;
  int number_ = 0;
};

Counter* counter = nullptr;

}  // namespace

void answer(const char* question, char* reply, unsigned long size) {
  if (counter == nullptr) counter = new Counter;
  std::snprintf(reply, size, "%d", counter->count(std::atoi(question)));
}
