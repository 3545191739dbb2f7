#include "app.hpp"

// Inlined into its callers of both sources.
int doubled(int number) { return number + number; }

[[gnu::noinline]] int weighed(int number) { return number * 42 + doubled(number); }

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d %d", weighed(number), other(number), doubled(number));
}
