// The clock of step 1, exercise 2: one tic and one tac every second, forever. It runs in a thread that updates find by
// its name, with a static update point before each tic. Its updates start their own manager.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

MOULT_UPDATABLE void tic() { std::cout << "tic" << std::endl; }

MOULT_UPDATABLE void tac() { std::cout << "tac" << std::endl; }

static void run_clock(std::chrono::milliseconds half) {
  for (;;) {
    moult::static_update_point("before tic");
    tic();
    std::this_thread::sleep_for(half);
    tac();
    std::this_thread::sleep_for(half);
  }
}

int main() {
  const moult::Listener listener;
  moult::Thread clock("clock", run_clock, pace(std::chrono::seconds(1)) / 2);
  clock.join();
}
