#include <stdexcept>

#include "moult/moult.hpp"
#include "target.hpp"

int answer_v4() { return 4; }

// Changes the program by itself, and fails afterwards.
MOULT_UPDATE {
  moult::redefine_function(&answer, &answer_v4);
  throw std::runtime_error("throws all the same");
}
