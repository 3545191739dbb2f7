// A book of a library, for the program and its updates.
#pragma once

#include <moult/moult.hpp>

/// Each has 16 bytes to grow into.
class Book : public moult::Updatable<Book, 16> {
 public:
  explicit Book(int number);
  int number() const;
  void lend();
  void show() const;

 private:
  int number_;
};
