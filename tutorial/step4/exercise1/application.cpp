// One thread writes numbers into a shared variable, another reads and prints them. There is always somebody in one of
// the two functions: the reader waits in its own.
#include <cstdlib>
#include <iostream>
#include <thread>

#include "pace.hpp"
#include "shared.hpp"

Shared shared;

MOULT_UPDATABLE void write_number(long number) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return !shared.is_fresh; });
  shared.text = std::to_string(number);
  shared.is_fresh = true;
  shared.changed.notify_all();
}

MOULT_UPDATABLE void read_number() {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return shared.is_fresh; });
  char* end = nullptr;
  const long number = std::strtol(shared.text.c_str(), &end, 10);
  if (*end != '\0') {
    std::cout << "cannot read \"" << shared.text << '"' << std::endl;
    std::abort();
  }
  shared.is_fresh = false;
  shared.changed.notify_all();
  std::cout << "read " << number << std::endl;
}

int main() {
  const moult::Listener listener;
  const std::chrono::milliseconds period = pace(std::chrono::seconds(1));
  std::jthread reader([] {
    for (;;) read_number();
  });
  for (long number = 1;; ++number) {
    write_number(number);
    std::this_thread::sleep_for(period);
  }
}
