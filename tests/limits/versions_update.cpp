// Updates of the program, chosen by macros: FUNCTION becomes version VERSION; before each postponement it tries for
// TRIES hundredths of a second.
#include <chrono>
#include <memory>

#include "moult/moult.hpp"
#include "target.hpp"

int replacement() { return VERSION; }

MOULT_UPDATE {
  auto update = std::make_unique<moult::SafeRedefineUpdate>(NAME, &FUNCTION, &replacement);
  update->set_patience({.max_tries = TRIES,
                        .sleep_time = std::chrono::milliseconds(10),
                        .stop_timeout = std::chrono::seconds(5),
                        .max_postponements = {}});
  moult::fetch_manager("main")->add_update(std::move(update));
}
