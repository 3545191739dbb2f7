#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] static int sum(int a, int b) { return a + b; }
[[gnu::noinline]] int twice(int number) { return sum(number, number); }

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d", twice(number), sum(number, 1));
}
