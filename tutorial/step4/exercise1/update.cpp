// The update of step 4, exercise 1. README.md describes how to complete it.
#include <atomic>
#include <ctime>
#include <iostream>

#include "shared.hpp"

// Selects the format of the intermediate versions.
[[maybe_unused]] static std::atomic<bool> update{false};

// Returns "12:30:05".
[[maybe_unused]] static std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  return text;
}

// Step 1: write interm_write and interm_read here.

// Step 2: complete the class. It takes a function and its intermediate version. When the function is quiescent, which
// it forces, it redefines the function.
class Intermediate final : public moult::Update {
 public:
  using moult::Update::Update;

  void preupdate_setup() override {
    throw moult::Error(moult::ErrorCode::invalid_argument,
                       "the intermediate versions are missing: see README.md, steps 1 and 2");
  }
  bool wait_alterability() override { return true; }
  void apply() override {}
};

// Step 3: write an update that sets the flag.

// Step 4: write write_shared_v2 and read_shared_v2, and an update that redefines both functions.

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("phases");
  manager.add_update(std::make_unique<Intermediate>("interm_read"));
}
