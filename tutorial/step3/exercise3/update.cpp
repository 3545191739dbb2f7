// The update of step 3, exercise 3. README.md describes how to complete it. Each step throws until you write it.
#include <moult/moult.hpp>

#include <iostream>

void tic();  // Both are defined by the application.
void tac();

[[maybe_unused]] static void tic_v2() { std::cout << "tic2" << std::endl; }

[[maybe_unused]] static void tac_v2() { std::cout << "tac2" << std::endl; }

class ClockUpdate final : public moult::Update {
 public:
  ClockUpdate() : Update("clock") {}  // Step 1: pass the clock's thread, too.

  // Step 1: make the clock's thread wait when it comes to its static update point.
  void preupdate_setup() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "preupdate_setup is missing: see README.md, step 1");
  }

  // Step 2: return true when the thread is at its point.
  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "wait_alterability is missing: see README.md, step 2");
  }

  // Step 2: release the thread when it did not reach the point in time.
  void clean_failed_alterability() override {}

  // Step 3: redefine tic as tic_v2 and tac as tac_v2.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is missing: see README.md, step 3");
  }
};

MOULT_UPDATE { moult::threaded_manager("clock").add_update(std::make_unique<ClockUpdate>()); }
