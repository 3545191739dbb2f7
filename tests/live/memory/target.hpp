// The program's function and its class with a pool, for the program and its updates.
#pragma once

#include "moult/moult.hpp"

namespace app {

int answer();

struct Data : moult::Updatable<Data, 64> {
  explicit Data(int wanted) : number(wanted) {}
  int number;
  int mark = -1;
};

}  // namespace app
