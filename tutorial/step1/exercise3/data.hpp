// The application's class, for the application and its updates.
#pragma once

#include <moult/moult.hpp>

/// `new` places objects in a pool, where an update finds them. Each object has 64 bytes to grow into.
class Data : public moult::Updatable<Data, 64> {
 public:
  explicit Data(int value);
  void print() const;
  int value() const;

 private:
  int value_;
};
