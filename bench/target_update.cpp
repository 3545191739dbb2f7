#include "moult/moult.hpp"

int answer(int x);

static int answer_v2(int x) { return x + 2; }

MOULT_UPDATE {
  moult::fetch_manager("main")->add_update(std::make_unique<moult::SafeRedefineUpdate>("answer", answer, answer_v2));
}
