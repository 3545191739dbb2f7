#include <atomic>
#include <cstdio>

struct Point {
  int x;
  double y;
};

namespace app {

int limit = 10;
struct Counter {
  static int total;
};
int Counter::total = 1;

}  // namespace app

namespace {

Point point{1, 2.5};
short table[3] = {1, 2, 3};

}  // namespace

static bool is_on = false;  // becomes true
static long left = 7;       // becomes 0
static std::atomic<int> asked{100};
static int kept = 1000;

static int next(int step) {
  static int count = 5;
  return count += step;
}

void answer(const char*, char* reply, unsigned long size) {
  Point* volatile at = &point;  // which keeps clang from taking them apart
  short* volatile first = &table[0];
  std::snprintf(reply, size, "%d %d %d %.1f %d %d %d %ld %d %d", ++app::limit, ++app::Counter::total, ++at->x,
                at->y += 1, ++first[1], first[2]++, is_on, ++left, ++asked, next(1));
  is_on = !is_on;
  ++kept;
}
