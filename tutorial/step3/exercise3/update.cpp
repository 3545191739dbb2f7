// The update of step 3, exercise 3, to be completed: README.md says how. Each step says so itself until it is written.
#include <moult/moult.hpp>

#include <iostream>

void tic();  // The application's, both of them.
void tac();

[[maybe_unused]] static void tic_v2() { std::cout << "tic2" << std::endl; }

[[maybe_unused]] static void tac_v2() { std::cout << "tac2" << std::endl; }

class ClockUpdate final : public moult::Update {
 public:
  ClockUpdate() : Update("clock") {}

  // Step 1: from here on the clock's thread stays at its static update point when it comes there.
  void preupdate_setup() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "preupdate_setup is still to be written: see README.md, step 1");
  }

  // Step 2: true as soon as it is there.
  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "wait_alterability is still to be written: see README.md, step 2");
  }

  // Step 2: when it did not come in time, it need not stay there any more.
  void clean_failed_alterability() override {}

  // Step 3: from here on calls of tic reach tic_v2, and calls of tac reach tac_v2.
  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is still to be written: see README.md, step 3");
  }
};

MOULT_UPDATE { moult::threaded_manager("clock").add_update(std::make_unique<ClockUpdate>()); }
