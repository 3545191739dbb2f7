// Says hello every two seconds, forever. The listener is its only connection to moult.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

MOULT_UPDATABLE void hello() { std::cout << "hello world" << std::endl; }

int main() {
  const moult::Listener listener;
  const std::chrono::milliseconds period = pace(std::chrono::seconds(2));
  for (;;) {
    hello();
    std::this_thread::sleep_for(period);
  }
}
