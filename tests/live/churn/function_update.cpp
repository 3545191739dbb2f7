#include "target.hpp"

static int version_two() { return 2; }

MOULT_UPDATE {
  auto update = std::make_unique<moult::SafeRedefineUpdate>("function", version, version_two);
  update->set_patience(patient());
  moult::threaded_manager("churn").add_update(std::move(update));
}
