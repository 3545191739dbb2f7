#include "shapes.hpp"

#include "moult/relinking.hpp"

MOULT_UPDATABLE Shape::~Shape() = default;
MOULT_UPDATABLE std::string Shape::text() const { return "shape"; }

MOULT_UPDATABLE Square::Square(int side) : side_(side) {}
MOULT_UPDATABLE Square::~Square() { side_ = 0; }
MOULT_UPDATABLE std::string Square::text() const { return "square " + std::to_string(side_); }
MOULT_UPDATABLE int Square::side() const { return side_; }

MOULT_UPDATABLE std::unique_ptr<Shape> make_square(int side) { return std::make_unique<Square>(side); }
