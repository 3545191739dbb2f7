// Functions whose variables cannot all be changed, compiled with optimisation.
#pragma once

#include "moult/relinking.hpp"

namespace subject {

using Look = void (*)();

extern const char* const functions_file;
extern const int forget_line;  ///< of the call in forget

void forget(Look look);
void keep(Look look);
void scoped(Look look);
/// A function that is also inlined elsewhere.
moult::AnyFunction copied_function();

int first_callback();
int second_callback();
using Callback = int (*)();
extern const Callback read_only_callback;
extern Callback writable_callback;

}  // namespace subject
