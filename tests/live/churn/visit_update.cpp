// Objects that are marked one by one, each before its first access, and the rest by the manager's thread.
#include "control_target.hpp"

class VisitUpdate final : public moult::Update {
 public:
  VisitUpdate() : Update("visit") { set_patience(patient()); }

  bool check_alterability() override { return true; }
  void apply() override {
    visit_ = moult::visit_at_first_access<Couple>([](Couple& couple) { ++couple.marks; },
                                                  {.timeout = patience().stop_timeout});
    ++marks_made;
  }
  bool wait_over() override {
    visit_.drain(patience().stop_timeout);
    return visit_.progress().is_done;
  }

 private:
  moult::AccessVisit visit_;
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<VisitUpdate>()); }
