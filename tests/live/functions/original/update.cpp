// The update number VERSION. Its versions append that digit to what the versions that they replace answer. With
// RECURSIVE or JUMPS, the new version calls the function by its old name instead.
#include "moult/moult.hpp"
#include "prices.hpp"

namespace {

int (*old_price)(int number);
int (app::Shop::*old_rate)(int number) const;

int call_old_price(int number) { return old_price(number); }

int new_price(int number) {
#if defined(RECURSIVE)
  return number > 99 ? number : app::price(number * 100) + VERSION;
#elif defined(JUMPS)
  return number > 99 ? number : app::price(number * 100);
#else
  return old_price(number) * 10 + VERSION;
#endif
}

class NewShop final : public app::Shop {
 public:
  int new_rate(int number) const { return (this->*old_rate)(number)*10 + VERSION; }
};

void find() {
  old_price = moult::original(&app::price);
  old_rate = moult::original(&app::Shop::rate);
}

std::unique_ptr<moult::Update> make() {
  return std::make_unique<moult::SafeRedefineUpdate>(
      "update", std::vector<moult::Redefinition>{{&app::price, &new_price}, {&app::Shop::rate, &NewShop::new_rate}});
}

}  // namespace

extern "C" {
extern const app::Exports loaded_update;
const app::Exports loaded_update{find, call_old_price, make};
}

MOULT_UPDATE {}
