#include "app.hpp"

int other(int number) { return doubled(number) + shared(number); }
