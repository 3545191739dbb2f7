#include <cstdio>
#include <cstdlib>
[[gnu::noinline]] int fill1(int x) { return x * 3 + std::abs(x - 4); }
[[gnu::noinline]] int fill2(int x) { return x * 5 + std::abs(x - 5); }
[[gnu::noinline]] int fill3(int x) { return x * 7 + std::abs(x - 6); }
[[gnu::noinline]] int fill4(int x) { return x * 9 + std::abs(x - 7); }
[[gnu::noinline]] int fill5(int x) { return x * 11 + std::abs(x - 8); }

#include "item.hpp"
void answer(const char* q, char* r, unsigned long n) {
  Item* p = make();
  p->a += std::atoi(q);
  p->b += 100;
  std::snprintf(r, n, "%d %d %d", p->a, p->b, p->one(3));
}
