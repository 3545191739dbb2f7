// Has the call of add_up that is in progress go on in a new version, with the tally that it has so far.
#include <moult/moult.hpp>

#include <iostream>

#include "sum.hpp"

static int add_up_v2(Tally tally) {
  for (;;) {
    moult::static_update_point("between numbers");
    const int number = std::stoi(inbox.take());
    if (number == 0) return tally.sum;
    ++tally.count;
    tally.sum += number;
    std::cout << tally.count << " numbers, sum " << tally.sum << ", mean " << tally.sum / tally.count << std::endl;
  }
}

class SumUpdate final : public moult::RebootFunctionUpdate {
 public:
  SumUpdate()
      : RebootFunctionUpdate("sum", moult::get_thread_by_name("adder"),
                             {add_up, add_up_v2, moult::capture_locals<Tally>("tally")}) {
    set_patience({.max_tries = 60, .max_postponements = 0});  // a minute
  }

  void preupdate_setup() override {
    RebootFunctionUpdate::preupdate_setup();
    std::cout << "the adder is awaited at its point" << std::endl;
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<SumUpdate>()); }
