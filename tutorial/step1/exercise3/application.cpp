// Creates five objects of class Data and prints them every two seconds, forever.
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "data.hpp"
#include "pace.hpp"

MOULT_UPDATABLE Data::Data(int value) : value_(value) {}
MOULT_UPDATABLE void Data::print() const { std::cout << value_; }
MOULT_UPDATABLE int Data::value() const { return value_; }

int main() {
  const moult::Listener listener;
  moult::ThreadedManager manager("main");
  std::vector<std::unique_ptr<Data>> all;
  for (int value = 0; value < 5; ++value) all.push_back(std::make_unique<Data>(value));
  const std::chrono::milliseconds period = pace(std::chrono::seconds(2));
  for (;;) {
    for (const std::unique_ptr<Data>& data : all) {
      data->print();
      std::cout << " at " << data.get() << std::endl;
    }
    std::this_thread::sleep_for(period);
  }
}
