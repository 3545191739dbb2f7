// Classes that have pools, for the program and its update.
#pragma once

#include "moult/moult.hpp"

namespace app {

struct Data : moult::Updatable<Data, 64> {
  explicit Data(int wanted) : number(wanted) {}
  int number;
};

struct LongData : Data {
  using Data::Data;
  char text[200] = "";
};

}  // namespace app
