#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] static int plain(int number) { return number * 3 + std::abs(number); }
using Function = int (*)(int);
extern "C" Function choose() { return plain; }
[[gnu::ifunc("choose")]] int chosen(int number);

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", chosen(std::atoi(question)));
}
