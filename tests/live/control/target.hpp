// What the updates know of the program.
#pragma once

#include "moult/relinking.hpp"

int answer();
/// Each module has a copy of its own.
[[gnu::visibility("hidden")]] MOULT_UPDATABLE inline int hidden_answer(int tens) { return 10 * tens; }
