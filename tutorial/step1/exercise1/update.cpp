// The update of step 1, exercise 1. README.md describes how to complete it.
#include <moult/moult.hpp>

#include <iostream>

void hello();  // Defined by the application. The loader links it.

// Step 1: write hello_v2 here. It prints "hello " and your name.

MOULT_UPDATE {
  [[maybe_unused]] moult::ThreadedManager& manager = moult::threaded_manager("hello");
  // Step 2: pass a SafeRedefineUpdate to the manager. Remove this throw.
  throw moult::Error(moult::ErrorCode::invalid_argument, "hello_v2 is missing: see README.md, steps 1 and 2");
}
