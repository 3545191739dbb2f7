// Has the call of add_up that is in progress go on in a new version, with the count and the sum that it has so far.
#include <moult/moult.hpp>
#include <moult/reboot.hpp>
#include <moult/static_points.hpp>

#include <iostream>
#include <tuple>

#include "inbox.hpp"

extern Inbox inbox;
int add_up();

static int add_up_v2(const std::tuple<int, int>& state) {
  auto [count, sum] = state;
  for (;;) {
    moult::static_update_point("between numbers");
    const int number = std::stoi(inbox.take());
    if (number == 0) return sum;
    ++count;
    sum += number;
    std::cout << count << " numbers, sum " << sum << ", mean " << sum / count << std::endl;
  }
}

class SumUpdate final : public moult::RebootFunctionUpdate {
 public:
  SumUpdate()
      : RebootFunctionUpdate("sum", moult::get_thread_by_name("adder"),
                             {add_up, add_up_v2, moult::capture_locals<int, int>("count", "sum")}) {
    set_patience({.max_tries = 60, .max_postponements = 0});  // a minute
  }

  void preupdate_setup() override {
    RebootFunctionUpdate::preupdate_setup();
    std::cout << "the adder is awaited at its point" << std::endl;
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<SumUpdate>()); }
