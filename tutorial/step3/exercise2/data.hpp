// The class of the application and the functions that use it, for the application and its updates.
#pragma once

#include <moult/moult.hpp>

#include <memory>
#include <vector>

/// Objects lie in a pool, where an update finds them. Each has 64 bytes to grow into.
class Data : public moult::Updatable<Data, 64> {
 public:
  explicit Data(int value);
  void print() const;
  int value() const;

 private:
  int value_;
};

/// The next element of the list: of the sum of two, the last six digits.
std::unique_ptr<Data> sum(const Data& left, const Data& right);

void show(const std::vector<std::unique_ptr<Data>>& list);
