// The update of step 4, exercise 1, to be completed: README.md says how. Each step says so itself until it is written.
#include <atomic>
#include <iostream>

#include "shared.hpp"

// Step 1: write read_both, which prints a text of either format, and write_either, which writes the old one until the
// flag is set.

// The flag.
static std::atomic<bool> is_time_written{false};

// Step 2: complete it. It gets one function and its intermediate version, and redefines the one as the other when the
// function is quiescent, which it forces.
class Intermediate final : public moult::Update {
 public:
  using moult::Update::Update;

  void preupdate_setup() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "the intermediate versions are still to be written: see README.md, steps 1 and 2");
  }
  bool wait_alterability() override { return true; }
  void apply() override {}
};

// Steps 3 and 4: write an update that sets the flag, and one that redefines both functions as their final versions.

MOULT_UPDATE {
  is_time_written = false;
  auto update = std::make_unique<Intermediate>("reads both");
  moult::threaded_manager("phases").add_update(std::move(update));
}
