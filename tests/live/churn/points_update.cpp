// A function, while every moult::Thread is at a static update point, those that are just made included.
#include "control_target.hpp"

static int version_two() { return 2; }

class PointsUpdate final : public moult::StaticPointUpdate {
 public:
  PointsUpdate() : StaticPointUpdate("points", {"between rounds"}) { set_patience(patient()); }
  void apply() override { moult::redefine_function(version, version_two); }
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<PointsUpdate>()); }
