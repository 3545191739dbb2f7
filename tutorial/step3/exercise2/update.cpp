// The update of step 3, exercise 2. README.md describes how to complete it. Each step throws until you write it.
#include <iostream>
#include <string>

#include "data.hpp"

// Step 1: write Data_v2, its transformer and sum_v2 here, as in step 2, exercise 1. Leave out the constructor that
// takes the value alone: every Data_v2 has an origin.

class DataUpdate final : public moult::Update {
 public:
  DataUpdate() : Update("Data and sum") {}

  // Step 3: prepare the redefinition of the class and sum.
  void prepare() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "prepare is missing: see README.md, step 3");
  }

  // Step 2: return true, with the program stopped, when neither sum nor show is active.
  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "wait_alterability is missing: see README.md, steps 1 and 2");
  }

  // Step 4: convert every Data, and make the redefinition that step 3 has prepared.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is missing: see README.md, step 4");
  }
};

MOULT_UPDATE { moult::threaded_manager("Data").add_update(std::make_unique<DataUpdate>()); }
