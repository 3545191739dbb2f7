// A program to be updated: says "ready", then answers each line of its input with answer(), while another thread calls
// it too, or "hidden" with hidden_answer(). With an argument it also takes commands from a FIFO of that name.
#include "target.hpp"

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "moult/moult.hpp"

MOULT_UPDATABLE int answer() { return 1; }

// Called from one place and never by pointer: the compiler puts a copy of it there.
static inline __attribute__((always_inline)) int copied(int number) { return number + 1; }
int (*volatile keep_copied)(int) = [](int number) { return copied(number); };

int main(int count, char** arguments) {
  moult::ThreadedManager manager("main");
  moult::Listener listener;
  std::unique_ptr<moult::PipeListener> pipe;
  if (count > 1) pipe = std::make_unique<moult::PipeListener>(arguments[1]);
  std::atomic<int> sum = 0;
  std::jthread worker([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      sum += answer();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << (line == "hidden" ? hidden_answer(1) : answer()) << std::endl;
}
