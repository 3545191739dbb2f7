#include <cstdio>

static int limit = 10;

void answer(const char*, char* reply, unsigned long size) {
  limit += 1;
  std::snprintf(reply, size, "limit %ld", static_cast<long>(limit));
}
