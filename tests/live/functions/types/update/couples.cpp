#include "types.hpp"

namespace app {

struct Couple {
  long added;
  int first;
  int second;
};

}  // namespace app

namespace next {

int second_of(const app::Couple& couple) { return couple.second; }

}  // namespace next
