// A class with a pool of its own, whose base has one, too.
#pragma once

#include <memory>
#include <string>

#include "moult/data_access.hpp"

class Shape : public moult::Updatable<Shape, 32> {
 public:
  virtual ~Shape();
  virtual std::string text() const;
};

class Square : public Shape, public moult::Updatable<Square, 64> {
 public:
  using Updatable<Square, 64>::operator new;
  using Updatable<Square, 64>::operator delete;
  explicit Square(int side);
  ~Square() override;
  std::string text() const override;
  int side() const;

 private:
  int side_;
};

std::unique_ptr<Shape> make_square(int side);
