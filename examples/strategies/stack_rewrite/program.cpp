// Adds up the numbers that are typed, in one call that goes on until a 0 comes.
#include "sum.hpp"

#include <moult/moult.hpp>

#include <iostream>

Inbox inbox;

MOULT_UPDATABLE void show(const Tally& tally) {
  std::cout << tally.count << " numbers, sum " << tally.sum << std::endl;
}

MOULT_UPDATABLE int add_up() {
  Tally tally;  // show has its address, so the compiler keeps it in memory
  for (;;) {
    moult::static_update_point("between numbers");
    const int number = std::stoi(inbox.take());
    if (number == 0) return tally.sum;
    ++tally.count;
    tally.sum += number;
    show(tally);
  }
}

int main() {
  const moult::Listener listener;
  const moult::Thread adder("adder", [] {
    const int result = add_up();
    std::cout << "result " << result << std::endl;
  });
  for (std::string number; std::cin >> number;) inbox.put(number);
}
