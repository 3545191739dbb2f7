// The function, when the calls in progress have told that they return.
#include "target.hpp"

static int version_two() { return 2; }

class ReturnsUpdate final : public moult::Update {
 public:
  ReturnsUpdate() : Update("returns") { set_patience(patient()); }

  bool wait_alterability() override { return moult::wait_return_of_function(version, patience()); }
  void apply() override { moult::redefine_function(version, version_two); }
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<ReturnsUpdate>()); }
