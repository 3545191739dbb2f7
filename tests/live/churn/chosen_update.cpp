// A function, while two threads are at their points, a moult::Thread and a std::thread, and all others pass theirs.
#include "control_target.hpp"

static int version_two() { return 2; }

class ChosenUpdate final : public moult::StaticPointUpdate {
 public:
  ChosenUpdate()
      : StaticPointUpdate("chosen", {"between rounds", "in the list"}, {moult::get_thread_by_name("server"), filler}) {
    set_patience(patient());
  }
  void apply() override { moult::redefine_function(version, version_two); }
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<ChosenUpdate>()); }
