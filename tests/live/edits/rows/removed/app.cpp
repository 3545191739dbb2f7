#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] static int helper(int number) { return number + 1; }

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d", helper(std::atoi(question)));
}
