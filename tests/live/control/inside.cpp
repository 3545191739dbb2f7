// Answers each line with what a new Greeter says.
#include "inside.hpp"

#include <iostream>
#include <string>

#include "moult/moult.hpp"

MOULT_UPDATABLE Greeter::Greeter(int number) : number_(3 * number + 1) {}  // so long that a jump fits
MOULT_UPDATABLE int Greeter::greet(int times) const { return number_ + times; }
MOULT_UPDATABLE int Greeter::count() { return 1; }

int main() {
  const moult::Listener listener;
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << Greeter(10).greet(Greeter::count()) << std::endl;
}
