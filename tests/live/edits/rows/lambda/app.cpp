#include <algorithm>
#include <cstdio>
#include <cstdlib>

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  int values[] = {3, 1, 2, 9, 4};
  std::sort(values, values + 5, [number](int a, int b) { return a * number < b * number; });
  std::snprintf(reply, size, "%d %d", values[0], values[4]);
}
