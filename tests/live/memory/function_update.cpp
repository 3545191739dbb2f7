#include "target.hpp"

static int answer_v2() { return 2; }

MOULT_UPDATE {
  moult::threaded_manager("memory").add_update(
      std::make_unique<moult::SafeRedefineUpdate>("answer", app::answer, answer_v2));
}
