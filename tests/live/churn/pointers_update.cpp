// All pointers to a function.
#include <optional>

#include "control_target.hpp"

class PointersUpdate final : public moult::Update {
 public:
  PointersUpdate() : Update("pointers") { set_patience(patient()); }

  void prepare() override { operations_.emplace(); }
  bool check_alterability() override { return true; }
  void apply() override { operations_->redirect(&first_operation, &second_operation); }

 private:
  std::optional<moult::Pointers<decltype(&first_operation)>> operations_;
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<PointersUpdate>()); }
