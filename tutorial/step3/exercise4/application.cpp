// Says hello every two seconds, forever, in a thread that updates find by its name.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

MOULT_UPDATABLE void say_hello(std::chrono::milliseconds period) {
  for (;;) {
    std::cout << "hello world" << std::endl;
    std::this_thread::sleep_for(period);
  }
}

int main() {
  const moult::Listener listener;
  const moult::Thread thread("hello", say_hello, pace(std::chrono::seconds(2)));
}
