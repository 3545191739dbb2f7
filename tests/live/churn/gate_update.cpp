// The function, with new calls kept waiting at its entry.
#include "target.hpp"

static int version_two() { return 2; }

class GateUpdate final : public moult::Update {
 public:
  GateUpdate() : Update("gate") { set_patience(patient()); }

  void preupdate_setup() override { moult::setup_force_quiescence({version}, patience()); }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
  void apply() override { moult::redefine_function(version, version_two); }
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<GateUpdate>()); }
