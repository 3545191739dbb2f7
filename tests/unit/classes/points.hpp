// A class of objects, one that they are converted to, and what the tests of that do with them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "moult/data_update.hpp"

namespace moult::internal::subject {

struct Point : Updatable<Point, 64> {
  explicit Point(int wanted) : x(wanted) {}
  int x;
};
struct Point3 : Updatable<Point3> {
  Point3(int wanted_x, int wanted_y) : x(wanted_x), y(wanted_y) {}
  int x;
  int y;
  std::string name = "a name that is too long for the string itself";
};

template <class T>
std::vector<std::unique_ptr<T>> several(int count) {
  std::vector<std::unique_ptr<T>> objects;
  for (int i = 0; i < count; ++i) objects.push_back(std::make_unique<T>(i));
  return objects;
}

/// The object at the address of another: what old pointers lead to.
template <class New, class Old>
New& as(const std::unique_ptr<Old>& object) {
  return *reinterpret_cast<New*>(object.get());
}

inline auto to_point3 = [](const Point& old) { return Point3(old.x, 2 * old.x); };

/// Ends the objects as what they are now.
template <class New, class Old>
void end(std::vector<std::unique_ptr<Old>>& objects) {
  for (std::unique_ptr<Old>& object : objects) delete reinterpret_cast<New*>(object.release());
}

}  // namespace moult::internal::subject
