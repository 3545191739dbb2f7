#include <cstdio>
#include <cstdlib>

#include "more.hpp"

void answer(const char* question, char* reply, unsigned long size) {
  std::snprintf(reply, size, "%d %d", twice(std::atoi(question)), hidden_count);
}
