#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] int f(int k) {
  static int n = 0;
  return n += k;
}
void answer(const char* q, char* r, unsigned long n) { std::snprintf(r, n, "%d", f(std::atoi(q))); }
