// Calls into the program and into moult: both must be found when it is loaded.
#include <cstdio>

#include "greetings.hpp"
#include "moult/moult.hpp"

std::string place();

MOULT_UPDATE {
  std::printf("%s from the update for %s, built for %s: %s\n", greeting().c_str(), place().c_str(), PLACE,
              std::string(moult::name_of(moult::ErrorCode::build_id_mismatch)).c_str());
}
