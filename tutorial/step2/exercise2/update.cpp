// The update of step 2, exercise 2, to be completed: README.md says how.
#include <algorithm>
#include <random>

#include "data.hpp"

// Step 1: write Integer_v2 and the transformer here, which makes one of twice the value.

// Step 2: write Serie_v2, laid out as Serie, whose text shuffles the integers before it shows them.

MOULT_UPDATE {
  // Step 3: hand the manager a LazyConversionUpdate and a SafeRedefineUpdate in place of the next statement.
  throw moult::Error(moult::ErrorCode::invalid_argument,
                     "Integer_v2 and Serie_v2 are still to be written: see README.md, steps 1 to 3");
}
