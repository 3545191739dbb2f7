// A program whose main thread has ended (pthread_exit): says "ready" then, and answers each line of its input with
// answer().
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <string>
#include <thread>

#include "moult/moult.hpp"
#include "target.hpp"

MOULT_UPDATABLE int answer() { return 1; }

namespace {

/// The kernel clears a thread's executable after pthread_join has noticed its end.
void wait_for_end_of_main(pthread_t main_thread) {
  pthread_join(main_thread, nullptr);
  std::array<char, 16> path{};
  while (::readlink("/proc/self/exe", path.data(), path.size()) >= 0) std::this_thread::yield();
}

void serve(pthread_t main_thread) {
  wait_for_end_of_main(main_thread);
  const char* greeting = "good day";
  asm volatile("" : : "r"(&greeting) : "memory");  // it is in memory, for who asks for the variables
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << answer() << std::endl;
  std::_Exit(0);
}

}  // namespace

int main() {
  static moult::ThreadedManager manager("main");
  static const moult::Listener listener;
  std::thread(serve, pthread_self()).detach();
  pthread_exit(nullptr);
}
