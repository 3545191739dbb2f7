#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] const char* named(int number) {
  switch (number) {
    case 0: std::puts("zero"); return "none";
    case 1: return "one";
    case 2: return std::getenv("MOULT_NOT_SET") != nullptr ? "set" : "two";
    case 3: return "three";
    case 4: std::abort();
    case 5: return "five";
    case 6: return std::getenv("MOULT_NOT_SET") != nullptr ? "set" : "six";
    default: return "many";
  }
}

[[gnu::noinline]] int stepped(int number) {
  static const void* const steps[] = {&&first, &&second, &&third};
  int sum = 0;
  goto* steps[number % 3];
first:
  sum += 1;
second:
  sum += 10;
third:
  return sum + 100;
}

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%s %d", named(number), stepped(number));
}
