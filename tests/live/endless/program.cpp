// Says "ready" when its threads are in their loops, and ends with its input.
#include "program.hpp"

#include <semaphore.h>

#include <atomic>
#include <iostream>
#include <string>
#include <thread>

#include "moult/moult.hpp"

namespace {

sem_t requests;
std::atomic<int> begun = 0;
std::atomic<bool> is_over = false;
std::atomic<int> turns = 0;

void serve_somebody() {
  // A function of the program between a thread's beginning and serve().
  app::serve();
  ++turns;
}

}  // namespace

namespace app {

int turn() { return ++turns; }

void serve() {
  ++begun;
  for (;;) {
    sem_wait(&requests);
    turn();
  }
}

void work() {
  ++begun;
  while (!is_over) {
    turn();
    is_over.wait(false);
  }
}

}  // namespace app

int main() {
  sem_init(&requests, 0, 0);
  moult::ThreadedManager manager("main");
  moult::Listener listener;
  std::thread(serve_somebody).detach();
  std::thread worker(app::work);
  while (begun < 2) std::this_thread::yield();
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) app::turn();
  is_over = true;
  is_over.notify_all();
  worker.join();
}
