#include "more.hpp"

int other(int number) { return twice(number); }
