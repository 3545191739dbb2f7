// The classes of the application, for the application and its updates.
#pragma once

#include <moult/moult.hpp>

#include <string>
#include <vector>

/// Objects lie in a pool, where an update finds them.
class Integer : public moult::Updatable<Integer, 64> {
 public:
  explicit Integer(int value);
  int value() const;

 private:
  int value_;
};

/// Some of the program's integers, which other series may hold too.
class Serie {
 public:
  explicit Serie(std::vector<const Integer*> integers);
  std::string text() const;

 private:
  std::vector<const Integer*> integers_;  ///< in the order of their values
};
