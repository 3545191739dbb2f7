// Replaces a function of which it is not known whether copies were inlined.
#include <memory>

#include "moult/moult.hpp"

static int undescribed_two(int x) { return x * 8; }

MOULT_UPDATE {
  moult::fetch_manager("main")->add_update(std::make_unique<moult::SafeRedefineUpdate>(
      "undescribed", moult::function<int(int)>("undescribed"), undescribed_two));
}
