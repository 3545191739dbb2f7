// A clock: one tic and one tac every second, forever. The manager named "main" carries its updates out.
#include <moult/moult.hpp>

#include <iostream>
#include <thread>

#include "pace.hpp"

MOULT_UPDATABLE void tic() { std::cout << "tic" << std::endl; }

MOULT_UPDATABLE void tac() { std::cout << "tac" << std::endl; }

int main() {
  moult::ThreadedManager manager("main");
  const moult::Listener listener;
  const std::chrono::milliseconds half = pace(std::chrono::seconds(1)) / 2;
  for (;;) {
    tic();
    std::this_thread::sleep_for(half);
    tac();
    std::this_thread::sleep_for(half);
  }
}
