#include <cstdio>
#include <cstdlib>

static const int table[4] = {1, 2, 3, 4};
[[gnu::noinline]] int look(int i) { return table[i & 3]; }
void answer(const char* q, char* r, unsigned long n) { std::snprintf(r, n, "%d", look(std::atoi(q))); }
