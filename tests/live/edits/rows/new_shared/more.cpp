#include "more.hpp"

int hidden_count = 3;
int twice(int number) { return number * 2 + hidden_count; }
