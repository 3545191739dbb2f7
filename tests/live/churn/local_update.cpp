// A variable of all calls of a function that are in progress. Refused where one of them is just entered or left.
#include "control_target.hpp"

class LocalUpdate final : public moult::Update {
 public:
  LocalUpdate() : Update("local"), share_(hold, "share") { set_patience(patient()); }

  bool check_alterability() override { return true; }
  void apply() override { share_.set(3 - share_seen); }

 private:
  moult::LocalVariable<int> share_;
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<LocalUpdate>()); }
