// The application's classes, for the application and its updates.
#pragma once

#include <moult/moult.hpp>

#include <string>
#include <vector>

/// `new` places objects in a pool, where an update finds them.
class Integer : public moult::Updatable<Integer, 64> {
 public:
  explicit Integer(int value);
  int value() const;

 private:
  int value_;
};

/// Some of the program's integers. Other series may hold the same ones.
class Serie {
 public:
  explicit Serie(std::vector<const Integer*> integers);
  std::string text() const;

 private:
  std::vector<const Integer*> integers_;  ///< in ascending order of their values
};
