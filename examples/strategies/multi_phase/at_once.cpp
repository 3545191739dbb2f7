// put and take replaced in one stop. It never comes: some call of put is always in progress.
#include "versions.hpp"

MOULT_UPDATE {
  auto update = std::make_unique<moult::SafeRedefineUpdate>(
      "at once", std::vector<moult::Redefinition>{{put, put_v2}, {take, take_v2}});
  update->set_patience({.max_tries = 1, .sleep_time = std::chrono::milliseconds(100), .max_postponements = 0});
  moult::threaded_manager("main").add_update(std::move(update));
}
