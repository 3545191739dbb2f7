// The update of step 2, exercise 2. README.md describes how to complete it.
#include <algorithm>
#include <random>

#include "data.hpp"

// Step 1: write Integer_v2 here, and the transformer, which doubles the value.

// Step 2: write Serie_v2 with the layout of Serie. Its text shuffles the integers before it prints them.

MOULT_UPDATE {
  // Step 3: pass a LazyConversionUpdate and a SafeRedefineUpdate to the manager. Remove this throw.
  throw moult::Error(moult::ErrorCode::invalid_argument,
                     "Integer_v2 and Serie_v2 are missing: see README.md, steps 1 to 3");
}
