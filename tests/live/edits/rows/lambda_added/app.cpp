#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

static std::function<int(int)> kept;

[[gnu::noinline]] static void keep(int a) {
  kept = [a](int number) { return number * a; };
}

[[gnu::noinline]] static int largest(int a, int b, int c) {
  int values[] = {a, b, c};
  return *std::max_element(values, values + 3);
}

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  if (!kept) keep(number);
  std::snprintf(reply, size, "%d %d", kept(number), largest(number, 5, -9));
}
