// All pointers to a function.
#include "control_target.hpp"

class PointersUpdate final : public moult::Update {
 public:
  PointersUpdate() : Update("pointers") { set_patience(patient()); }

  bool check_alterability() override { return true; }
  void apply() override { moult::redirect_pointer(&first_operation, &second_operation); }
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<PointersUpdate>()); }
