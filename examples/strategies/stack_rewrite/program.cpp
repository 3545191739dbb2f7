// Adds numbers up, in one call that goes on until a 0 comes.
#include <moult/moult.hpp>
#include <moult/static_points.hpp>
#include <moult/thread.hpp>

#include <iostream>

#include "inbox.hpp"

Inbox inbox;

MOULT_UPDATABLE int add_up() {
  int count = 0;
  int sum = 0;
  for (;;) {
    moult::static_update_point("between numbers");
    const int number = std::stoi(inbox.take());
    if (number == 0) return sum;
    ++count;
    sum += number;
    std::cout << count << " numbers, sum " << sum << std::endl;
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
