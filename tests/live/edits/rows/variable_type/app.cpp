#include <cstdio>
#include <cstdlib>

static int total = 5;
void answer(const char* q, char* r, unsigned long n) {
  total += std::atoi(q);
  std::snprintf(r, n, "%g", (double)total);
}
