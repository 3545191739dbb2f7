// Restarts the thread that says hello with another main function.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

static void say_hello_v2(std::chrono::milliseconds period) {
  for (;;) {
    moult::static_update_point("between two greetings");
    std::cout << "hello Ada" << std::endl;
    std::this_thread::sleep_for(period);
  }
}

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("hello");
  manager.add_update(std::make_unique<moult::ThreadRebootUpdate>("hello anew", moult::get_thread_by_name("hello"),
                                                                 say_hello_v2, pace(std::chrono::seconds(2))));
}
