#include <cstdio>
#include <cstdlib>
#include <cstring>

using Handler = int (*)(int);
[[gnu::noinline]] int plus(int number) { return number * number + 1; }
[[gnu::noinline]] static int minus(int number) { return number * number - 1; }
static Handler handlers[] = {plus, minus};

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d", handlers[0](number), handlers[1](number));
}
