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

class HelloUpdate final : public moult::StaticPointUpdate {
 public:
  HelloUpdate() : StaticPointUpdate("hello", {}, {moult::get_thread_by_name("hello")}) {}

  void apply() override { moult::switch_main(threads().front(), say_hello_v2, pace(std::chrono::seconds(2))); }
  bool wait_over() override { return moult::wait_departures(patience()); }
};

MOULT_UPDATE { moult::threaded_manager("hello").add_update(std::make_unique<HelloUpdate>()); }
