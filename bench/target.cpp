// A small server-like program that waits for updates.
#include <unistd.h>

#include <cstdio>

#include "moult/moult.hpp"

MOULT_UPDATABLE int answer(int x) { return x + 1; }

int main() {
  moult::Listener listener;
  moult::ThreadedManager manager("main");
  std::printf("ready\n");
  std::fflush(stdout);
  volatile int number = 0;
  for (;;) {
    number = answer(number);
    usleep(1000);
  }
}
