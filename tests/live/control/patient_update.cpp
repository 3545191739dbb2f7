#include <chrono>
#include <memory>

#include "moult/moult.hpp"

class Patient final : public moult::Update {
 public:
  Patient() : Update("patient") {}
  moult::Requirements check_requirements() override { return moult::Requirements::not_yet; }
  void apply() override {}
};

// An entry that waits for an update that is not going to be applied.
MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<Patient>()).wait(std::chrono::hours(1)); }
