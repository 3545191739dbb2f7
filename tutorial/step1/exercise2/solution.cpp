// Replaces tic and tac by two independent updates. Between them the clock may go "tic2, tac".
#include <moult/moult.hpp>

#include <iostream>

void tic();  // Both are defined by the application.
void tac();

static void tic_v2() { std::cout << "tic2" << std::endl; }

static void tac_v2() { std::cout << "tac2" << std::endl; }

MOULT_UPDATE {
  moult::AnyManager* manager = moult::fetch_manager("main");
  if (manager == nullptr) {
    throw moult::Error(moult::ErrorCode::not_found, "the program has no manager named main: is it the clock?");
  }
  manager->add_update(std::make_unique<moult::SafeRedefineUpdate>("tic", tic, tic_v2));
  manager->add_update(std::make_unique<moult::SafeRedefineUpdate>("tac", tac, tac_v2));
}
