#include <memory>

#include "impossible.hpp"
#include "moult/moult.hpp"
#include "target.hpp"

int answer_v2() { return 2; }

// Two updates, of which one is refused.
MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("possible", &answer, &answer_v2));
  manager.add_update(std::make_unique<Impossible>());
}
