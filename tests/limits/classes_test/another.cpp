// Another definition of one of the classes.
#include "classes.hpp"

namespace kinds {

#line 300 "another.cpp"
struct Disputed {
  long last = 2;
  int first = 1;
};
int last_of_disputed() {
  static Disputed disputed;
  Disputed* read = &disputed;
  return static_cast<int>(read->last);
}

}  // namespace kinds
