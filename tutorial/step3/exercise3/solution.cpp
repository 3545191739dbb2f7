// Replaces tic and tac while the clock's thread waits at its static update point, between a tac and the next tic.
#include <moult/moult.hpp>

#include <iostream>

void tic();  // Both are defined by the application.
void tac();

static void tic_v2() { std::cout << "tic2" << std::endl; }

static void tac_v2() { std::cout << "tac2" << std::endl; }

class ClockUpdate final : public moult::Update {
 public:
  ClockUpdate() : Update("clock", {moult::get_thread_by_name("clock")}) {}

  void preupdate_setup() override { moult::setup_wait_static_points({.names = {"before tic"}, .threads = threads()}); }
  bool wait_alterability() override { return moult::wait_static_points_reached(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_static_points(); }

  void apply() override {
    moult::redefine_function(tic, tic_v2);
    moult::redefine_function(tac, tac_v2);
  }
};

MOULT_UPDATE { moult::threaded_manager("clock").add_update(std::make_unique<ClockUpdate>()); }
