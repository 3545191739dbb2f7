#include <cstdio>
#include <cstdlib>

// g++ makes clones of it: for the constant argument, and without the argument that is not used.
[[gnu::noinline]] static int weighed(int number, int factor, const int* unused) {
  int sum = 0;
  for (int i = 0; i < number; ++i) sum += std::abs(i * factor - number) + (i % 3);
  return unused == nullptr ? sum : sum;
}
[[gnu::noinline]] int first(int number) { return weighed(number, 3, &number); }
[[gnu::noinline]] int second(int number) { return weighed(number + 1, 3, nullptr); }

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d", first(number), second(number));
}
