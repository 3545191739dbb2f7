// Answers each line with what a Greeter says.
#include "inside.hpp"

#include <iostream>
#include <string>

#include "moult/moult.hpp"

MOULT_UPDATABLE Greeter::Greeter(int number) : number_(number) {}
MOULT_UPDATABLE int Greeter::greet(int times) const { return number_ + times; }
MOULT_UPDATABLE int Greeter::count() { return 1; }

int main() {
  const moult::Listener listener;
  const Greeter greeter(10);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << greeter.greet(Greeter::count()) << std::endl;
}
