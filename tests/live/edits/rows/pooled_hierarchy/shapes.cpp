#include "shapes.hpp"

namespace shapes {

std::string Shape::describe() const { return name_ + " " + std::to_string(area()); }
int Circle::area() const { return 3 * radius_ * radius_; }
int Square::area() const { return side_ * side_ + static_cast<int>(colour_.size()) * 1000; }
int SmallSquare::area() const { return Square::area() * scale_; }

}  // namespace shapes
