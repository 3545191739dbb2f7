// The update of exercise 1, to be completed: README.md says how.
#include <moult/moult.hpp>

#include <iostream>

void hello();  // The application's: linked when the update is loaded.

// Step 1: write hello_v2 here. It prints "hello " and your name.

MOULT_UPDATE {
  [[maybe_unused]] moult::ThreadedManager& manager = moult::threaded_manager("hello");
  // Step 2: hand the manager a SafeRedefineUpdate in place of the next statement.
  throw moult::Error(moult::ErrorCode::invalid_argument,
                     "hello_v2 is still to be written: see README.md, steps 1 and 2");
}
