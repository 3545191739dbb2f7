#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {
struct Point {
  int x = 0;
  int y = 0;
};
std::vector<Point> points;
}

[[gnu::noinline]] static int sum() {
  int total = 0;
  for (const Point& each : points) total += each.x * each.y;
  return total;
}

void answer(const char* question, char* reply, unsigned long size) {
  points.push_back({std::atoi(question), 2});
  std::snprintf(reply, size, "%d", sum());
}
