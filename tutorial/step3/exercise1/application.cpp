// Says hello every two seconds, forever: the application of step 1, exercise 1.
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
