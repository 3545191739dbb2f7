// A small update's worth of code and debug information: classes, inlined calls, static variables, places that move.
namespace shapes {

struct Point {
  int x = 0;
  int y = 0;
};

class Shape {
 public:
  virtual ~Shape() = default;
  virtual double area() const = 0;
  Shape* next = nullptr;
};

enum class Colour : unsigned char { red, green };

template <class T>
struct Box {
  T value{};
  T items[3]{};
};

}  // namespace shapes

class Circle : public shapes::Shape {
 public:
  explicit Circle(double radius) : radius_(radius) {}
  double area() const override { return radius_ * radius_ * 3; }
  static int made;

 private:
  double radius_;
  shapes::Point centre_;
  shapes::Colour colour_ : 4 = shapes::Colour::red;
};

int Circle::made = 0;
int count = 0;

static inline int doubled(int number) { return number * 2 + count; }

int next(int by) {
  static int last = 0;
  int local = doubled(by);
  for (int i = 0; i < by; ++i) local += doubled(i);
  last += local;
  return last;
}

double area(const Circle& circle, shapes::Box<long> box) {
  double whole = circle.area() + static_cast<double>(box.value);
  if (whole > 100) whole -= next(static_cast<int>(whole));
  return whole;
}

extern "C" void moult_update_entry() {
  Circle circle(2);
  count += static_cast<int>(area(circle, {}));
}
