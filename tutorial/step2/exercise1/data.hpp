// The application's class and the function that creates most of its objects, for the application and its updates.
#pragma once

#include <moult/moult.hpp>

#include <memory>

/// `new` places objects in a pool, where an update finds them. Each object has 64 bytes to grow into.
class Data : public moult::Updatable<Data, 64> {
 public:
  explicit Data(int value);
  void print() const;
  int value() const;

 private:
  int value_;
};

/// The next element of the list: the last six digits of the sum.
std::unique_ptr<Data> sum(const Data& left, const Data& right);
