// The update of step 2, exercise 1. README.md describes how to complete it.
#include <iostream>
#include <string>

#include "data.hpp"

// Step 1: write Data_v2 and the transformer here, as in step 1, exercise 3. The origin is optional: one constructor
// takes the value alone, the other one the value and the origin.

// Step 2: write sum_v2, which creates a Data_v2 with an origin.

MOULT_UPDATE {
  // Step 3: pass an EagerConversionUpdate and a SafeRedefineUpdate to the manager. Remove this throw.
  throw moult::Error(moult::ErrorCode::invalid_argument, "Data_v2 and sum_v2 are missing: see README.md, steps 1 to 3");
}
