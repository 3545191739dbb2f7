// Objects that are marked by the manager's thread when they have been accessed, and then the rest. It touches only
// those that it knows to live.
#include <optional>

#include "control_target.hpp"

class AccessorUpdate final : public moult::Update {
 public:
  AccessorUpdate() : Update("accessor") { set_patience(patient()); }

  bool check_alterability() override { return true; }
  void apply() override {
    accessor_.emplace(moult::Enumeration{.timeout = patience().stop_timeout});
    ++marks_made;
  }
  bool wait_over() override {
    for (int i = 0; i < 1000; ++i)
      if (Couple* couple = accessor_->next(std::chrono::steady_clock::now() + patience().stop_timeout)) mark(*couple);
    for (Couple& couple : *accessor_) mark(couple);
    return accessor_->progress().is_done;
  }

 private:
  static void mark(Couple& couple) {
    if (is_lasting(couple)) ++couple.marks;
  }

  std::optional<moult::DataAccessor<Couple, moult::Access::progressive>> accessor_;
};

MOULT_UPDATE { moult::threaded_manager("churn").add_update(std::make_unique<AccessorUpdate>()); }
