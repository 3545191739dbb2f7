#include <cstdio>
#include <cstdlib>

[[gnu::noinline]] int f(int k) {
  // HERE
  if (k & 1) {
    static int n = 0;
    return ++n;
  }
  static int n = 100;
  return ++n;
}
void answer(const char* q, char* r, unsigned long n) { std::snprintf(r, n, "%d", f(std::atoi(q))); }
