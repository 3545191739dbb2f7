#include "classes.hpp"

namespace app {
namespace {
int data_destroyed = 0;
}

Data::Data(int x) : x_(x) {}
Data::Data(const Data& other) : x_(other.x_) {}
Data::~Data() { ++data_destroyed; }
Data& Data::operator=(const Data& other) {
  x_ = other.x_;
  return *this;
}
int Data::value() const { return x_; }
Data& Data::operator+=(int more) {
  x_ += more;
  return *this;
}
bool Data::operator==(const Data& other) const { return x_ == other.x_; }
std::string Data::version() { return "one"; }
int Data::destroyed() { return data_destroyed; }

Shape::Shape(int side) : side_(side) {}
Shape::~Shape() { side_ = 0; }
int Shape::area() const { return side_ * side_; }
std::string Shape::name() const { return "shape"; }
int Shape::side() const { return side_; }

Square::Square(int side) : Shape(side) {}
Square::~Square() { squares_own_ = 0; }
std::string Square::name() const { return squares_own_ == 77 ? "square" : "overwritten"; }

Figure::Figure() = default;
Figure::~Figure() = default;
std::string Figure::name() const { return "figure"; }

Busy::Busy(int given) : n(given) {}
void Busy::call(void (*inside)(void*), void* argument) {
  inside(argument);
  ++n;
}

}  // namespace app
