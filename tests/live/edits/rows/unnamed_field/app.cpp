#include <cstdio>
#include <cstdlib>

struct S {
  union {
    int i;
    float f;
  };
  struct {
    int x;
    int y;
  } p;
  int bits : 4;
  int more : 12;
};
static S s{{1}, {2, 3}, 1, 2};
void answer(const char* q, char* r, unsigned long n) {
  s.p.x += std::atoi(q);
  s.p.y += 10;
  s.bits++;
  std::snprintf(r, n, "%d %d %d %d %d", s.i, s.p.x, s.p.y, s.bits, s.more);
}
