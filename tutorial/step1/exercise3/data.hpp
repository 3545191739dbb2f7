// The class of the application, for whoever uses it: the application itself and its updates.
#pragma once

#include <moult/moult.hpp>

/// Objects lie in a pool, where an update finds them. Each has 64 bytes to grow into.
class Data : public moult::Updatable<Data, 64> {
 public:
  explicit Data(int value);
  void print() const;
  int value() const;

 private:
  int value_;
};
