#include <cstdio>
#include <cstdlib>

// g++ finds that both have the same code, and gives it one name.
[[gnu::noinline]] static int first(int number) {
  int sum = 0;
  for (int i = 0; i < number; ++i) sum += std::getenv("MOULT_NOT_SET") != nullptr ? 7 : i * 3;
  return sum;
}
[[gnu::noinline]] static int second(int number) {
  int sum = 0;
  for (int i = 0; i < number; ++i) sum += std::getenv("MOULT_NOT_SET") != nullptr ? 7 : i * 3;
  return sum;
}

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d", first(number), second(number));
}
