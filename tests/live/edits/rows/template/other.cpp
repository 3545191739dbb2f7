#include "app.hpp"

static Counter counter;

int other(int number) { return scaled(number) + counter.next(); }
