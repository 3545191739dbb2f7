// The classes of the program.
#pragma once

#include <string>

#include "moult/data_access.hpp"
#include "moult/relinking.hpp"

namespace app {

/// With a pool, and with room to grow.
class Data : public moult::Updatable<Data, 64> {
 public:
  explicit Data(int x);
  Data(const Data& other);
  ~Data();
  Data& operator=(const Data& other);

  int value() const;
  Data& operator+=(int more);
  bool operator==(const Data& other) const;
  static std::string version();
  static int destroyed();

 private:
  int x_;
};

/// Without a pool: its objects cannot grow.
class Shape {
 public:
  MOULT_UPDATABLE explicit Shape(int side);
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;
  MOULT_UPDATABLE virtual ~Shape();
  virtual int area() const;
  virtual std::string name() const;
  int side() const;

 protected:
  int side_;
};

class Square final : public Shape {
 public:
  explicit Square(int side);
  ~Square() override;
  std::string name() const override;

 private:
  int squares_own_ = 77;
};

/// With a pool and virtual functions.
class Figure : public moult::Updatable<Figure> {
 public:
  MOULT_UPDATABLE Figure();
  MOULT_UPDATABLE virtual ~Figure();
  MOULT_UPDATABLE virtual std::string name() const;
};

/// What the program does with them. No update replaces these.
Data* make_data(int x);
int value_of(const Data& data);
bool are_equal(const Data& a, const Data& b);
Data* copy_of(const Data& data);
void add_to(Data& data, int more);
void drop(Data* data);
Shape* make_shape(int side);
Shape* make_square(int side);
int area_of(const Shape& shape);
std::string name_of(const Shape& shape);
int side_of(const Shape& shape);
void drop(Shape* shape);
Figure* make_figure();
std::string name_of(const Figure& figure);
void drop(Figure* figure);

/// Calls `inside` from a method.
class Busy {
 public:
  explicit Busy(int n);
  void call(void (*inside)(void*), void* argument);
  int n;
};

}  // namespace app
