#include <memory>

#include "moult/moult.hpp"
#include "target.hpp"

int answer_v2() { return 2; }

MOULT_UPDATE {
  moult::fetch_manager("main")->add_update(std::make_unique<moult::SafeRedefineUpdate>("answer", &answer, &answer_v2));
}
