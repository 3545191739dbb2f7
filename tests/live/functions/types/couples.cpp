#include "types.hpp"

namespace app {

struct Couple {
  int first;
  int second;
};

Couple* make_couple(int first, int second) { return new Couple{first, second}; }
int second_of(const Couple& couple) { return couple.second; }

}  // namespace app
