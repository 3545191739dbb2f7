#include <cstdio>
#include <cstdlib>
#include <functional>

static std::function<int(int)> kept;

[[gnu::noinline]] static void keep(int a, int b) {
  kept = [a](int number) { return number * a; };
  if (b == 1000) kept = nullptr;
}

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  if (!kept) keep(number, 5);
  std::snprintf(reply, size, "%d", kept(number));
}
