#include "app.hpp"

#include <cstdio>
#include <cstdlib>

static Counter counter;

void answer(const char* question, char* reply, unsigned long size) {
  const int number = std::atoi(question);
  std::snprintf(reply, size, "%d %d %ld %d", scaled(number), other(number), scaled<long>(number), counter.next());
}
