#include <cstdio>
#include <cstdlib>

static int (*volatile kept)(int, int) = nullptr;
static volatile int sink;

[[gnu::noinline]] static int value(int number) {
  sink = number;
  return sink + 2;
}

[[gnu::noinline]] static int handler(int a, int b) { return value(a) + value(b) * 10 + a * 1000 + b * 10000; }

[[gnu::noinline]] int unchanged(int number) { return number * 7 + std::abs(number - 3); }
[[gnu::noinline]] int also(int number) { return number * 2 + std::abs(number - 5); }
[[gnu::noinline]] int as_well(int number) { return number * 5 + std::abs(number - 6); }
[[gnu::noinline]] int unchanged_too(int number) { return number * 9 + std::abs(number - 4); }

void keep() {
  if (kept == nullptr) kept = handler;
}

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  keep();
  std::snprintf(reply, size, "%d %d %d %d", kept(number, number + 1), value(number), unchanged(number),
                unchanged_too(number));
}
