#include <cstdio>
#include <cstdlib>
#include <memory>

struct Shape {
  virtual ~Shape() = default;
  virtual int area(int side) const { return side; }
};
struct Square final : Shape {
  int area(int side) const override { return side * side; }
};

static std::unique_ptr<Shape> shapes[] = {std::make_unique<Shape>(), std::make_unique<Square>()};

void answer(const char* question, char* reply, unsigned long size) {
  const int side = std::atoi(question);
  std::snprintf(reply, size, "%d %d", shapes[0]->area(side), shapes[1]->area(side));
}
