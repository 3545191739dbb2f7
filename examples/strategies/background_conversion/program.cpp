// Keeps twenty thousand readings of a thermometer: "look N" shows one, "state" says what they are.
#include <iostream>
#include <memory>
#include <vector>

#include "reading.hpp"

MOULT_UPDATABLE std::string state() { return "readings in degrees Celsius"; }

int main() {
  const moult::Listener listener;
  std::vector<std::unique_ptr<Reading>> readings;
  for (int number = 0; number < 20'000; ++number) readings.push_back(std::make_unique<Reading>(number % 100));
  for (std::string order; std::cin >> order;) {
    std::size_t number = 0;
    if (order == "look" && std::cin >> number) std::cout << readings.at(number)->degrees() << std::endl;
    if (order == "state") std::cout << state() << std::endl;
  }
}
