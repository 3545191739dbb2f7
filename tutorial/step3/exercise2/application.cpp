// A Fibonacci list: the application of step 2, exercise 1, without a manager. The function show prints the list, so an
// update can wait until it is not active.
#include <algorithm>
#include <iostream>
#include <thread>
#include <vector>

#include "data.hpp"
#include "pace.hpp"

MOULT_UPDATABLE Data::Data(int value) : value_(value) {}
MOULT_UPDATABLE void Data::print() const { std::cout << value_; }
MOULT_UPDATABLE int Data::value() const { return value_; }

MOULT_UPDATABLE std::unique_ptr<Data> sum(const Data& left, const Data& right) {
  return std::make_unique<Data>((left.value() + right.value()) % 1'000'000);
}

MOULT_UPDATABLE void show(const std::vector<std::unique_ptr<Data>>& list) {
  std::cout << list.size() << " Data: ";
  const std::size_t first = list.size() - std::min<std::size_t>(list.size(), 5);
  for (std::size_t i = first; i < list.size(); ++i) {
    if (i > first) std::cout << ", ";
    list[i]->print();
  }
  std::cout << std::endl;
}

int main() {
  const moult::Listener listener;
  std::vector<std::unique_ptr<Data>> list;
  list.push_back(std::make_unique<Data>(0));
  list.push_back(std::make_unique<Data>(1));
  const std::chrono::milliseconds period = pace(std::chrono::seconds(2));
  for (;;) {
    show(list);
    list.push_back(sum(*list[list.size() - 2], *list.back()));
    std::this_thread::sleep_for(period);
  }
}
