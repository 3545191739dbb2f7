// One thread writes numbers into a shared variable, another thread reads and prints them. One of the two functions is
// almost always active: the reader waits inside its own.
#include <cstdlib>
#include <iostream>
#include <thread>

#include "pace.hpp"
#include "shared.hpp"

Shared shared;

MOULT_UPDATABLE void write_shared(long number) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return !shared.is_unread; });
  shared.text = std::to_string(number);
  shared.is_unread = true;
  shared.changed.notify_all();
}

MOULT_UPDATABLE void read_shared() {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return shared.is_unread; });
  char* end = nullptr;
  const long number = std::strtol(shared.text.c_str(), &end, 10);
  if (*end != '\0') {
    std::cout << "cannot read \"" << shared.text << '"' << std::endl;
    std::abort();
  }
  shared.is_unread = false;
  shared.changed.notify_all();
  std::cout << "read " << number << std::endl;
}

int main() {
  const moult::Listener listener;
  const std::chrono::milliseconds period = pace(std::chrono::seconds(1));
  std::jthread reader([] {
    for (;;) read_shared();
  });
  for (long number = 1;; ++number) {
    write_shared(number);
    std::this_thread::sleep_for(period);
  }
}
