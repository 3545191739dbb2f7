#pragma once

#include <string>

#include "moult/data_access.hpp"

namespace shapes {

class Shape : public moult::Updatable<Shape, 128> {
 public:
  explicit Shape(std::string name) : name_(std::move(name)) {}
  virtual ~Shape() = default;
  virtual int area() const = 0;
  std::string describe() const;

 protected:
  std::string name_;
};

class Circle : public Shape {
 public:
  explicit Circle(int radius) : Shape("circle"), radius_(radius) {}
  int area() const override;

 private:
  int radius_;
};

class Square : public Shape {
 public:
  explicit Square(int side) : Shape("square"), side_(side) {}
  int area() const override;

 private:
  std::string colour_ = "a colour that is too long for a short string";
  int side_;
};

class SmallSquare final : public Square {
 public:
  SmallSquare() : Square(2) {}
  int area() const override;

 private:
  int scale_ = 3;
};

}  // namespace shapes
