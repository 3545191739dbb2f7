// Says hello every two seconds, for ever, in a thread that updates can find by its name and may restart.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

void say_hello(std::chrono::milliseconds period) {
  for (;;) {
    moult::static_update_point("between two greetings");
    std::cout << "hello world" << std::endl;
    std::this_thread::sleep_for(period);
  }
}

int main() {
  const moult::Listener listener;
  const moult::Thread thread("hello", say_hello, pace(std::chrono::seconds(2)));
}
